/** Writes the licenses of what the build has bundled: they ask to come along with it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const dist = join(import.meta.dirname, "dist")
const metafile = join(dist, "metafile-esm.json")

/** As much of esbuild's account of its work as is looked at. */
interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>
}

const { inputs } = JSON.parse(readFileSync(metafile, "utf8")) as Metafile
const folders = new Set(
  Object.keys(inputs).flatMap((input) => {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? []
    return folder === undefined ? [] : [join(import.meta.dirname, folder)]
  })
)
if (folders.size === 0) throw new Error("Nothing is bundled: is the build's account read right?")

const texts = [...folders].map((folder) => {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  if (file === undefined) throw new Error(`${name} has no license to come along`)
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
})
writeFileSync(
  join(dist, "LICENSES.txt"),
  `Bundled into this package:\n\n${texts.toSorted().join("\n---\n\n")}`
)
rmSync(metafile)
