/** Terraform's language. */
import type { Document } from "./emit.ts"
import { pieces } from "./reference.ts"
import type { TerraformBlock } from "./Writer.ts"

/** By what a type begins with: https://registry.terraform.io. */
const providers: Readonly<Record<string, { readonly source: string; readonly version: string }>> = {
  aws: { source: "hashicorp/aws", version: ">= 5.0" },
  azuread: { source: "hashicorp/azuread", version: ">= 3.0" },
  google: { source: "hashicorp/google", version: ">= 6.0" }
}

/** One file; a variable for each name that nothing in it makes. */
export const terraform = ({
  fragments,
  header,
  inputs,
  known,
  outputs
}: Document<TerraformBlock>): string => {
  const addresses = new Map<string, string>([
    ...inputs.map(({ name }) => [name, `var.${word(name)}`] as const),
    ...fragments.flatMap(({ of, part }) =>
      Object.entries(of.makes).map(
        ([name, expression]) =>
          [name, expression.replace(/^this\b/, addressOf(of, part.label))] as const
      )
    ),
    ...Object.entries(known).map(([name, value]) => [name, quoted(value)] as const)
  ])
  const used = new Set(fragments.map(({ of }) => of.type.replace(/_.*$/s, "")))
  const blocks = [
    `terraform {\n  required_providers {\n${[...used]
      .map(
        (name) => `    ${name} = ${literal(providers[name] ?? { source: name }, addresses, "    ")}`
      )
      .join("\n")}\n  }\n}`,
    ...inputs.map(
      ({ hint, name }) =>
        `variable "${word(name)}" {\n  type        = string\n  description = ${quoted(hint)}\n}`
    ),
    ...fragments.map(({ of, part }, index) => {
      // One after the other, where a service takes no two writes of a kind at once.
      const before = fragments
        .slice(0, index)
        .findLast((each) => each.of.type === of.type && each.of.block === of.block)
      return `${of.block} "${of.type}" "${part.label}" {\n${attributes(of.body, addresses, "  ")}${
        before === undefined || of.block === "data"
          ? ""
          : `  depends_on = [${addressOf(before.of, before.part.label)}]\n`
      }}`
    }),
    ...outputs.map(
      (name) => `output "${word(name)}" {\n  value = ${addresses.get(name) ?? '""'}\n}`
    )
  ]
  return `${header.map((line) => `# ${line}\n`).join("")}\n${blocks.join("\n\n")}\n`
}

const addressOf = ({ block, type }: TerraformBlock, label: string): string =>
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
    .map(
      ([key, value]) => `${indent}${key.padEnd(longest)} = ${literal(value, addresses, indent)}\n`
    )
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
    const members = value as Readonly<Record<string, unknown>>
    if ("json" in members && Object.keys(members).length === 1) {
      return `jsonencode(${literal(members["json"], addresses, indent)})`
    }
    return `{\n${Object.entries(members)
      .map(
        ([key, each]) =>
          `${indent}  ${/^[A-Za-z_][\w-]*$/.test(key) ? key : quoted(key)} = ${literal(each, addresses, `${indent}  `)}\n`
      )
      .join("")}${indent}}`
  }
  return JSON.stringify(value)
}

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
