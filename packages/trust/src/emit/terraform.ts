/** Terraform's language. */
import type { Document } from "./emit.ts"
import { pieces } from "./reference.ts"
import type { Fragments, TerraformBlock } from "./Writer.ts"

/** By what a type begins with: https://registry.terraform.io. */
const providers: Readonly<Record<string, { readonly source: string; readonly version: string }>> = {
  aws: { source: "hashicorp/aws", version: ">= 6.26" },
  azuread: { source: "hashicorp/azuread", version: ">= 3.0" },
  google: { source: "hashicorp/google", version: ">= 6.0" }
}

/** One file; a variable for each name that nothing in it makes. */
export const terraform = ({
  fragments,
  header,
  inputs,
  outputs
}: Document<Fragments["terraform"]>): string => {
  const addresses = new Map(inputs.map(({ name }) => [name, `var.${word(name)}`]))
  const written: Array<Labelled> = []
  for (const { label, of } of fragments) {
    if (!("type" in of)) continue
    const block = { ...of, label }
    for (const [name, expression] of Object.entries(of.makes)) {
      addresses.set(name, addressed(expression, block, addresses))
    }
    written.push(block)
  }
  const used = new Set(written.map(({ type }) => type.replace(/_.*$/s, "")))
  const blocks = [
    `terraform {\n  required_providers {\n${[...used]
      .map(
        (name) => `    ${name} = ${literal(providers[name] ?? { source: name }, addresses, "    ")}`
      )
      .join("\n")}\n  }\n}`,
    ...inputs.map(
      ({ hint, name, usual }) =>
        `variable "${word(name)}" {\n  type        = string\n  description = ${quoted(hint)}\n${usual === undefined ? "" : `  default     = ${quoted(usual)}\n`}}`
    ),
    ...written.map((each, index) => {
      // One after the other, where a service takes no two writes of a kind at once.
      const earlier = written
        .slice(0, index)
        .filter(({ block, makes, type }) =>
          block === "data"
            ? false
            : type === each.type || each.after?.some((name) => makes[name] !== undefined) === true
        )
      const before = new Map(earlier.map((one) => [one.type, addressOf(one)]))
      return `${each.block} "${each.type}" "${each.label}" {\n${attributes(each.body, addresses, "  ")}${
        before.size === 0 || each.block === "data"
          ? ""
          : `  depends_on = [${[...before.values()].join(", ")}]\n`
      }}`
    }),
    ...outputs.map(
      (name) => `output "${word(name)}" {\n  value = ${addresses.get(name) ?? '""'}\n}`
    )
  ]
  return `${header.map((line) => `# ${line}\n`).join("")}\n${blocks.join("\n\n")}\n`
}

interface Labelled extends TerraformBlock {
  readonly label: string
}

/** An expression, with what stands for the block and for names in its place. */
const addressed = (
  expression: string,
  block: Labelled,
  addresses: ReadonlyMap<string, string>
): string =>
  pieces(expression)
    .map((piece) =>
      typeof piece === "object"
        ? (addresses.get(piece.name) ?? '""')
        : piece.replace(/(?<=^|[({])this(?=\.)/g, addressOf(block))
    )
    .join("")

const addressOf = ({ block, label, type }: Labelled): string =>
  `${block === "data" ? "data." : ""}${type}.${label}`

const word = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase()

const attributes = (
  body: Readonly<Record<string, unknown>>,
  addresses: ReadonlyMap<string, string>,
  indent: string
): string => {
  const longest = Math.max(0, ...Object.keys(body).map(({ length }) => length))
  return Object.entries(body)
    .map(([key, value]) => {
      // A block is made of members.
      const inner = marked(value, "block")
      return inner === undefined
        ? `${indent}${key.padEnd(longest)} = ${literal(value, addresses, indent)}\n`
        : `${indent}${key} {\n${attributes({ ...(inner as object) }, addresses, `${indent}  `)}${indent}}\n`
    })
    .join("")
}

const literal = (
  value: unknown,
  addresses: ReadonlyMap<string, string>,
  indent: string
): string => {
  if (typeof value === "string") return text(value, addresses)
  if (Array.isArray(value)) {
    return `[${value.map((each) => literal(each, addresses, indent)).join(", ")}]`
  }
  if (typeof value === "object" && value !== null) {
    const document = marked(value, "json")
    if (document !== undefined) return `jsonencode(${literal(document, addresses, indent)})`
    return `{\n${Object.entries(value)
      .map(
        ([key, each]) =>
          `${indent}  ${/^[A-Za-z_][\w-]*$/.test(key) ? key : text(key, addresses)} = ${literal(each, addresses, `${indent}  `)}\n`
      )
      .join("")}${indent}}`
  }
  return JSON.stringify(value)
}

/** What stands under a mark, as its only member. */
const marked = (value: unknown, mark: "json" | "block"): unknown =>
  typeof value === "object" && value !== null && mark in value && Object.keys(value).length === 1
    ? Object.values(value)[0]
    : undefined

const text = (value: string, addresses: ReadonlyMap<string, string>): string => {
  const all = pieces(value)
  const [only] = all
  if (all.length === 1 && typeof only === "object") return addresses.get(only.name) ?? '""'
  return `"${all
    .map((piece) =>
      typeof piece === "string" ? escaped(piece) : `\${${addresses.get(piece.name) ?? '""'}}`
    )
    .join("")}"`
}

/** `${` and `%{` would begin a template. */
const escaped = (value: string): string =>
  JSON.stringify(value).slice(1, -1).replaceAll("${", "$${").replaceAll("%{", "%%{")

const quoted = (value: string): string => `"${escaped(value)}"`
