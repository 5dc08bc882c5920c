import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/index.ts", "src/shell.ts"],
  format: ["esm"],
  sourcemap: true,
  clean: true
})
