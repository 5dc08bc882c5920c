import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/index.ts", "src/policies.ts", "src/trust.ts", "src/xml.ts"],
  format: ["esm"],
  sourcemap: true,
  clean: true
})
