import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/index.ts", "src/adapter.ts", "src/trust.ts"],
  format: ["esm"],
  sourcemap: true,
  clean: true
})
