import { defineConfig } from "tsup"
import { oneFile } from "../../scripts/oneFile.ts"

export default defineConfig(oneFile)
