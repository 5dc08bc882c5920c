/** A CDK stack in TypeScript, of the constructs that stand for CloudFormation's types. */
import { logicalId, resourcesOf, valueOf, valuesOf } from "./cloudFormation.ts"
import type { Told, ValuePiece } from "./cloudFormation.ts"
import type { Document } from "./emit.ts"
import type { Fragments } from "./Writer.ts"

/** A module with one class; a parameter for each name that nothing in it makes. */
export const cdk = (template: Document<Fragments["cloudformation"]>): string => {
  const { header, inputs, outputs } = template
  const values = valuesOf(template)
  const resources = resourcesOf(template)
  const parameters = new Set(inputs.map(({ name }) => logicalId(name)))
  const constants = new Set(resources.map(({ label }) => logicalId(label)))
  const reading = ({ after, attribute, ref }: Told): string => {
    const value = parameters.has(ref)
      ? `${variable(ref)}.valueAsString`
      : constants.has(ref)
        ? `${variable(ref)}.${attribute === undefined ? "ref" : `attr${attribute}`}`
        : `Aws.${constantCase(ref.replace(/^AWS::/, ""))}`
    return after === undefined
      ? value
      : `Fn.select(1, Fn.split(${JSON.stringify(after)}, ${value}))`
  }
  const expression = (all: ReadonlyArray<ValuePiece>): string => {
    const [only] = all
    if (all.every((piece) => typeof piece === "string")) return JSON.stringify(all.join(""))
    return all.length === 1 && typeof only === "object"
      ? reading(only)
      : `\`${all.map((piece) => (typeof piece === "string" ? templateText(piece) : `\${${reading(piece)}}`)).join("")}\``
  }
  const services = [...new Set(resources.map(serviceOf))]
  const bodies = [
    ...inputs.map(
      ({ hint, name, usual }) =>
        `const ${variable(name)} = new CfnParameter(this, ${JSON.stringify(logicalId(name))}, {\n      type: "String",\n      description: ${JSON.stringify(hint)}${usual === undefined ? "" : `,\n      default: ${JSON.stringify(usual)}`}\n    })`
    ),
    ...resources.map(
      (resource) =>
        `const ${variable(resource.label)} = new ${serviceOf(resource)}.Cfn${resource.type.split("::")[2]}(this, ${JSON.stringify(logicalId(resource.label))}, ${object(properties(resource.properties), (text) => expression(valueOf(text, values)), "    ")})`
    ),
    ...outputs.map(
      (name) =>
        `new CfnOutput(this, ${JSON.stringify(logicalId(name))}, { value: ${expression(values.get(name) ?? [])} })`
    )
  ]
  // A constant that nobody uses is none.
  const code = bodies.map((body) => {
    const name = /^const (\w+) = /.exec(body)?.[1]
    return name !== undefined && !bodies.some((other) => other.includes(`${name}.`))
      ? body.replace(/^const \w+ = /, "")
      : body
  })
  const imported = ["Aws", "CfnOutput", "CfnParameter", "Fn"].filter((name) =>
    code.some((body) => new RegExp(`\\b${name}\\b`).test(body))
  )
  return `${header.map((line) => `// ${line}\n`).join("")}import { ${[...imported, "Stack"].join(", ")} } from "aws-cdk-lib"
import type { StackProps } from "aws-cdk-lib"
${services.map((service) => `import * as ${service} from "aws-cdk-lib/aws-${service}"\n`).join("")}import type { Construct } from "constructs"

export class TrustStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)

${code.map((body) => `    ${body}\n`).join("\n")}  }
}
`
}

/** `AWS::Cognito::IdentityPool` is of `aws-cdk-lib/aws-cognito`. */
const serviceOf = ({ type }: { readonly type: string }): string =>
  (type.split("::")[1] ?? "").toLowerCase()

const variable = (name: string): string => {
  const id = logicalId(name)
  return `${id.slice(0, 1).toLowerCase()}${id.slice(1)}`
}

const constantCase = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()

/** The constructs' properties begin small, but what is inside of a policy. */
const properties = (value: unknown, key = ""): unknown => {
  if (key.endsWith("olicyDocument") || typeof value !== "object" || value === null) return value
  return Array.isArray(value)
    ? value.map((each) => properties(each))
    : Object.fromEntries(
        Object.entries(value).map(([name, each]) => [
          `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`,
          properties(each, name)
        ])
      )
}

const object = (value: unknown, text: (value: string) => string, indent: string): string => {
  if (typeof value === "string") return text(value)
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const inside = `${indent}  `
  if (Array.isArray(value)) {
    return `[${value.map((each) => object(each, text, indent)).join(", ")}]`
  }
  return `{\n${Object.entries(value)
    .map(
      ([key, each]) =>
        `${inside}${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: ${object(each, text, inside)}`
    )
    .join(",\n")}\n${indent}}`
}

const templateText = (text: string): string => text.replace(/[\\`]|\$\{/g, "\\$&")
