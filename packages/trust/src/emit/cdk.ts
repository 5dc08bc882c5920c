/** A CDK stack in TypeScript, of the constructs that stand for CloudFormation's types. */
import { logicalId, valueOf, valuesOf } from "./cloudFormation.ts"
import type { ValuePiece } from "./cloudFormation.ts"
import type { Document } from "./emit.ts"
import type { CloudFormationResource } from "./Writer.ts"

/** A module with one class; a parameter for each name that nothing in it makes. */
export const cdk = ({
  fragments,
  header,
  inputs,
  known,
  outputs
}: Document<CloudFormationResource>): string => {
  const values = valuesOf({ fragments, inputs, known })
  const ids = new Map([
    ...inputs.map(({ name }) => [logicalId(name), `${variable(name)}.valueAsString`] as const),
    ...fragments.map(({ part }) => [logicalId(part.label), `${variable(part.label)}.ref`] as const)
  ])
  const expression = (all: ReadonlyArray<ValuePiece>): string => {
    const [only] = all
    const code = (piece: ValuePiece) =>
      typeof piece === "string"
        ? piece
        : (ids.get(piece.ref) ?? `Aws.${constantCase(piece.ref.replace(/^AWS::/, ""))}`)
    if (all.every((piece) => typeof piece === "string")) return JSON.stringify(all.join(""))
    return all.length === 1 && only !== undefined
      ? code(only)
      : `\`${all.map((piece) => (typeof piece === "string" ? templateText(piece) : `\${${code(piece)}}`)).join("")}\``
  }
  const services = [...new Set(fragments.map(({ of }) => serviceOf(of)))]
  const bodies = [
    ...inputs.map(
      ({ hint, name }) =>
        `const ${variable(name)} = new CfnParameter(this, ${JSON.stringify(logicalId(name))}, {\n      type: "String",\n      description: ${JSON.stringify(hint)}\n    })`
    ),
    ...fragments.map(
      ({ of, part }) =>
        `const ${variable(part.label)} = new ${serviceOf(of)}.Cfn${of.type.split("::")[2]}(this, ${JSON.stringify(logicalId(part.label))}, ${object(properties(of.properties), (text) => expression(valueOf(text, values)), "    ")})`
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
  const imported = ["Aws", "CfnOutput", "CfnParameter"].filter((name) =>
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
const serviceOf = ({ type }: CloudFormationResource): string =>
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
