/** How a command becomes one file that runs on plain Node, copied anywhere: the settings of its tsup. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Options } from "tsup"

const entry = "main.js"

/**
 * Everything is inside, in chunks. What is loaded when it is first needed (the AWS SDK, the API, the exporters) is text until
 * then: Node would read all of one module at each start, and keep it in memory.
 */
export const oneFile: Options = {
  entry: ["src/main.ts"],
  format: ["esm"],
  target: "node22",
  minify: true,
  clean: true,
  splitting: true,
  noExternal: [/.*/],
  // What is CommonJS inside asks for Node's own modules by `require`, and for nothing else.
  banner: { js: "const require = process.getBuiltinModule;" },
  esbuildOptions: (options) => {
    // The second one is esbuild's own, which the first would replace.
    options.conditions = ["@federate/source", "module"]
  },
  plugins: [
    {
      name: "one-file",
      buildEnd() {
        fold(this.options.outDir)
      }
    }
  ]
}

const fold = (folder: string): void => {
  const [firstLine] = readFileSync(join(folder, entry), "utf8").split("\n", 1)
  const chunks = readdirSync(folder).map((name) => {
    const text = readFileSync(join(folder, name), "utf8").replace(/^#!.*\n/, "")
    if (name !== entry) rmSync(join(folder, name))
    return [`./${name}`, text]
  })
  // In ASCII, which takes half the memory.
  const text = JSON.stringify(chunks).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  // Over the entry, which is executable.
  writeFileSync(join(folder, entry), `${firstLine}\n${loader(text)}`)
}

const loader = (chunks: string) => `import { registerHooks } from "node:module";
const chunks = new Map(${chunks});
const scheme = "federate:";
registerHooks({
  resolve: (specifier, context, next) =>
    chunks.has(specifier)
      ? { url: scheme + specifier, shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url.startsWith(scheme)
      ? { format: "module", source: chunks.get(url.slice(scheme.length)), shortCircuit: true }
      : next(url, context)
});
await import("./${entry}");
`
