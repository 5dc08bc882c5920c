import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/main.ts"],
  format: ["esm"],
  target: "node22",
  minify: true,
  clean: true,
  splitting: false,
  // One file that runs on plain Node: everything is inside.
  noExternal: [/.*/],
  // What is CommonJS inside asks for Node's own modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  }
})
