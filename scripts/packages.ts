/**
 * Packs every package as it would be published, and looks at the tarballs as a stranger would: publint and
 * are-the-types-wrong over each, then an empty project that installs them all, imports every entry point on plain Node,
 * and holds the adapter of the testing package's page to its contract.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> }
  readonly bin?: Readonly<Record<string, string>>
}

const run = (command: string, args: ReadonlyArray<string>, cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

/** What others may import, once it is published. */
const entriesOf = ({ publishConfig }: Manifest): ReadonlyArray<string> =>
  Object.keys(publishConfig?.exports ?? {}).filter((entry) => entry !== "./package.json")

const rooms = ["packages", "apps"].flatMap((room) =>
  readdirSync(room).map((name) => join(room, name))
)
const published = rooms
  // The repository's own manifests.
  .map((folder) => ({
    folder,
    manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest
  }))
  .filter(({ manifest }) => manifest.private !== true)

const workplace = mkdtempSync(join(tmpdir(), "federate-packages-"))
try {
  const tarballs = new Map<string, string>()
  for (const { folder, manifest } of published) {
    const folderOf = join(workplace, manifest.name.replace("/", "-"))
    mkdirSync(folderOf)
    run("pnpm", ["pack", "--pack-destination", folderOf], folder)
    const [tarball] = readdirSync(folderOf)
    tarballs.set(manifest.name, join(folderOf, tarball!))
    run("publint", ["--strict", join(folderOf, tarball!)], folder)
    // Without entries there is nothing to have types: a command.
    if (entriesOf(manifest).length > 0)
      run("attw", ["--profile", "esm-only", join(folderOf, tarball!)], folder)
    console.log(`packed ${manifest.name}`)
  }

  const project = join(workplace, "project")
  mkdirSync(project)
  const files = Object.fromEntries([...tarballs].map(([name, file]) => [name, `file:${file}`]))
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: files, overrides: files })
  )
  // npm, as most people have it: no store and no workspace to lean on; peers come along by themselves.
  run("npm", ["install", "--no-audit", "--no-fund", "--silent"], project)
  const entries = published.flatMap(({ manifest }) =>
    entriesOf(manifest).map((entry) => join(manifest.name, entry))
  )
  const script = entries.map((entry) => `await import(${JSON.stringify(entry)});`).join("\n")
  writeFileSync(join(project, "imports.mjs"), script)
  run(process.execPath, ["imports.mjs"], project)
  for (const { manifest } of published) {
    for (const command of Object.keys(manifest.bin ?? {})) {
      console.log(run(join(project, "node_modules/.bin", command), ["--version"], project).trim())
    }
  }
  console.log(`imported ${entries.join(", ")}`)

  const page = readFileSync("packages/testing/README.md", "utf8")
  for (const [, name, text] of page.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs))
    writeFileSync(join(project, name!), text!)
  // vitest is one of the testing package's peers.
  console.log(run(join(project, "node_modules/.bin/vitest"), ["run", "--root", project], project))
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
