/** CloudFormation's templates, as JSON has them. */
import type { Document } from "./emit.ts"
import { namesInKeys, pieces } from "./reference.ts"
import type { Fragments } from "./Writer.ts"

type Template = Document<Fragments["cloudformation"]>

/** A template; a parameter for each name that nothing in it makes. */
export const cloudFormation = (template: Template): string => {
  const { header, inputs, outputs } = template
  const values = valuesOf(template)
  return `${JSON.stringify(
    {
      AWSTemplateFormatVersion: "2010-09-09",
      Description: header.join(" ").slice(0, 1024),
      ...(inputs.length > 0 && {
        Parameters: Object.fromEntries(
          inputs.map(({ hint, name, usual }) => [
            logicalId(name),
            { Type: "String", Description: hint, ...(usual !== undefined && { Default: usual }) }
          ])
        )
      }),
      Resources: Object.fromEntries(
        resourcesOf(template).map(({ label, properties, type }) => [
          logicalId(label),
          { Type: type, Properties: resolved(properties, values) }
        ])
      ),
      ...(outputs.length > 0 && {
        Outputs: Object.fromEntries(
          outputs.map((name) => [logicalId(name), { Value: joined(values.get(name) ?? []) }])
        )
      })
    },
    null,
    2
  )}\n`
}

interface Resource {
  readonly label: string
  readonly type: string
  readonly properties: Readonly<Record<string, unknown>>
}

/** Each with what others add to it. Intrinsic functions cannot stand for keys: what has names there is text. */
export const resourcesOf = ({ fragments }: Template): ReadonlyArray<Resource> =>
  fragments.flatMap(({ label, of }) => {
    if (!("type" in of)) return []
    const properties: Record<string, unknown> = { ...of.properties }
    for (const { of: addition } of fragments) {
      if (!("addsTo" in addition) || of.makes[addition.addsTo] === undefined) continue
      for (const [key, more] of Object.entries(addition.properties)) {
        const there = properties[key]
        properties[key] = [...(Array.isArray(there) ? there : []), ...more]
      }
    }
    return [
      {
        label,
        type: of.type,
        properties: Object.fromEntries(
          Object.entries(properties).map(([key, value]) => [
            key,
            namesInKeys(value).length === 0 ? value : JSON.stringify(value)
          ])
        )
      }
    ]
  })

/** A part of a value: itself, or what is told of a resource, a parameter, `AWS::Region` and its like. */
export type ValuePiece = string | Told

export interface Told {
  /** The logical id. */
  readonly ref: string
  /** Without it, what `Ref` gives. */
  readonly attribute?: string | undefined
  /** Only what comes after the first such text in it. */
  readonly after?: string | undefined
}

/** What each name is. */
export const valuesOf = ({
  fragments,
  inputs
}: Template): ReadonlyMap<string, ReadonlyArray<ValuePiece>> => {
  const values = new Map<string, ReadonlyArray<ValuePiece>>(
    inputs.map(({ name }) => [name, [{ ref: logicalId(name) }]])
  )
  for (const { label, of } of fragments) {
    for (const [name, value] of Object.entries(of.makes)) {
      values.set(
        name,
        valueOf(value, values).flatMap((piece) =>
          typeof piece === "string" ? told(piece, logicalId(label)) : [piece]
        )
      )
    }
  }
  return values
}

const told = (text: string, own: string): ReadonlyArray<ValuePiece> =>
  text
    .split(/(\$\{[^}]+\})/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      const [, ref, attribute, after] =
        /^\$\{([\w:]+)(?:\.(\w+))?(?:#([^}]+))?\}$/.exec(piece) ?? []
      return ref === undefined ? piece : { ref: ref === "this" ? own : ref, attribute, after }
    })

/** A text as pieces. */
export const valueOf = (
  text: string,
  values: ReadonlyMap<string, ReadonlyArray<ValuePiece>>
): ReadonlyArray<ValuePiece> =>
  pieces(text).flatMap((piece) =>
    typeof piece === "string" ? [piece] : (values.get(piece.name) ?? [])
  )

/** Letters and digits alone, the first one large. */
export const logicalId = (name: string): string =>
  name.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase())

const resolved = (
  value: unknown,
  values: ReadonlyMap<string, ReadonlyArray<ValuePiece>>
): unknown => {
  if (typeof value === "string") return joined(valueOf(value, values))
  if (Array.isArray(value)) return value.map((each) => resolved(each, values))
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each, values)]))
    : value
}

const joined = (all: ReadonlyArray<ValuePiece>): unknown => {
  const parts = all.map((piece) => (typeof piece === "string" ? piece : intrinsic(piece)))
  return parts.length === 1 ? parts[0] : parts.length === 0 ? "" : { "Fn::Join": ["", parts] }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html */
const intrinsic = ({ after, attribute, ref }: Told): unknown => {
  const value = attribute === undefined ? { Ref: ref } : { "Fn::GetAtt": [ref, attribute] }
  return after === undefined ? value : { "Fn::Select": [1, { "Fn::Split": [after, value] }] }
}
