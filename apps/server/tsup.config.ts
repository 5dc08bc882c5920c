import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/main.ts"],
  format: ["esm"],
  target: "node22",
  minify: true,
  clean: true,
  // What is loaded when it is first needed (the AWS SDK, the exporters) stays out of memory until then.
  splitting: true,
  // It runs on plain Node: everything is inside.
  noExternal: [/.*/],
  // What is CommonJS inside asks for Node's own modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  }
})
