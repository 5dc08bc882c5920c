/**
 * The pages tell what is so: their links lead somewhere, what they would have in a config file is taken there, and the
 * packages depend on one another as the architecture's picture has it.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { decode } from "@federate/config"
import { adapters, sections, sides } from "@federate/server/adapters"
import { Effect } from "effect"

const repository = fileURLToPath(new URL("../../..", import.meta.url))

const pages = globSync(["*.md", "{docs,packages,apps,examples}/**/*.md"], {
  cwd: repository,
  exclude: (name) => name.split("/").includes("node_modules")
})

const read = (page: string): string => readFileSync(join(repository, page), "utf8")

/** Without what stands in blocks of code. */
const prose = (text: string): string => text.replace(/^```.*?^```/gms, "")

/** Where a page's links lead: paths and anchors, nothing on other sites. */
const links = (text: string): ReadonlyArray<string> =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)]
    .map(([, markdown, html]) => markdown ?? html ?? "")
    .filter((link) => !/^[a-z]+:/.test(link))

/** A page's headings, as GitHub names them in addresses. */
const anchors = (text: string): ReadonlyArray<string> =>
  [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, "")
      .replaceAll(" ", "-")
  )

const leads = (page: string, link: string): boolean => {
  const [path = "", anchor] = link.split("#")
  const target = path === "" ? page : join(dirname(page), path)
  if (!existsSync(join(repository, target))) return false
  return anchor === undefined || anchors(read(target)).includes(anchor)
}

describe("the pages", () => {
  it("are all there is to read, the README among them", () => {
    assert.includeMembers(pages.slice(), ["README.md", "docs/architecture.md"])
  })

  it.each(pages)("link to what is there: %s", (page) => {
    const text = read(page)
    assert.deepEqual(
      links(text).filter((link) => !leads(page, link)),
      []
    )
  })
})

const anySource = "source: { type: kubernetes }"
const graphFlow = "flows: { graph: { source: { type: cognito }, exchanger: { type: entra } } }"
const anyFlow = `flows: { it: { ${anySource} } }`

/** A part of a config file as a whole one; nothing of what is something else, or stands for whatever there may be. */
const whole = (excerpt: string): string | undefined => {
  const keys = [...excerpt.matchAll(/^(\w+):/gm)].map(([, key = ""]) => key)
  const isOf = (...known: ReadonlyArray<string>) => keys.every((key) => known.includes(key))
  if (excerpt.includes(", …") || keys.length === 0) return undefined
  if (isOf("trust") && /^ {2}graph:/m.test(excerpt)) return `${graphFlow}\n${excerpt}`
  // Of a flow that the page has described before.
  if (isOf("trust")) return undefined
  if (isOf("flows", "broker")) return keys.includes("flows") ? excerpt : `${anyFlow}\n${excerpt}`
  if (!isOf("source", "exchanger")) return undefined
  const flow = keys.includes("source") ? excerpt : `${anySource}\n${excerpt}`
  return `flows:\n  it:\n${flow.replace(/^/gm, "    ")}`
}

const excerpts = pages.flatMap((page) =>
  [...read(page).matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(([, excerpt = ""], index) => {
    const text = whole(excerpt)
    return text === undefined ? [] : [{ name: `${page}, block ${index + 1}`, text }]
  })
)

describe("the config files in the pages", () => {
  it("are found", () => {
    assert.isAbove(excerpts.length, 10)
  })

  it.effect.each(excerpts)("are taken, but for what they leave out: $name", ({ name, text }) =>
    decode(text, {
      file: name,
      adapters,
      sections,
      sides,
      platform: {},
      environment: (variable) => variable
    }).pipe(
      Effect.as([]),
      Effect.catch(({ problems }) =>
        Effect.succeed(problems.filter(({ message }) => message !== "is missing"))
      ),
      Effect.map((problems) => assert.deepEqual(problems, []))
    )
  )
})

const names = new Set(
  globSync(["packages/*/package.json", "apps/*/package.json"], { cwd: repository }).map((file) =>
    basename(dirname(file))
  )
)

describe("the picture of the packages", () => {
  const [, picture = ""] =
    /## The picture\n\n```\n(.*?)```/s.exec(read("docs/architecture.md")) ?? []
  const folders = globSync(["packages/*/src", "apps/*/src"], { cwd: repository }).map(dirname)
  const layers = picture
    .split("\n")
    // Behind the layer's own name.
    .map((line) =>
      (line.replace(/^ \w+/, "").match(/[\w-]+/g) ?? []).filter((word) => names.has(word))
    )
  const order = layers.flat()

  it("has each of them once", () => {
    assert.sameMembers(order, [...names])
  })

  it.each(folders)("shows where the imports of %s go", (folder) => {
    const sources = globSync("src/**/*.ts", { cwd: join(repository, folder) })
    const imported = sources.flatMap((file) =>
      [...read(join(folder, file)).matchAll(/(?:from|import\() ?"@federate\/([\w-]+)/g)].map(
        ([, name = ""]) => name
      )
    )
    const own = basename(folder)
    const clouds = layers.find((layer) => layer.includes("entra")) ?? []
    const upwards = [...new Set(imported)].filter(
      (name) =>
        order.indexOf(name) <= order.indexOf(own) || (clouds.includes(own) && clouds.includes(name))
    )
    assert.deepEqual(upwards, [])
  })
})

describe("the README", () => {
  const readme = read("README.md")
  const rows = [...readme.matchAll(/^\| `([\w-]+)` *\| (source|exchanger)/gm)].map(
    ([, type, kind]) => `${type} ${kind}`
  )

  it("lists each adapter that a config file may name, and no other", () => {
    assert.sameMembers(rows, [
      ...adapters.sources.map(({ type }) => `${type} source`),
      ...adapters.exchangers.map(({ type }) => `${type} exchanger`)
    ])
  })

  it("lists each package", () => {
    const listed = [...readme.matchAll(/\]\((?:packages|apps)\/([\w-]+)\)/g)].map(
      ([, name]) => name
    )
    assert.deepEqual(
      [...names].filter((name) => !listed.includes(name)),
      []
    )
  })
})
