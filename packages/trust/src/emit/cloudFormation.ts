/** CloudFormation's templates, as JSON has them. */
import type { Document } from "./emit.ts"
import { pieces } from "./reference.ts"
import type { CloudFormationResource } from "./Writer.ts"

/** A template; a parameter for each name that nothing in it makes. */
export const cloudFormation = ({
  fragments,
  header,
  inputs,
  known,
  outputs
}: Document<CloudFormationResource>): string => {
  const values = valuesOf({ fragments, inputs, known })
  return `${JSON.stringify(
    {
      AWSTemplateFormatVersion: "2010-09-09",
      Description: header.join(" ").slice(0, 1024),
      ...(inputs.length > 0 && {
        Parameters: Object.fromEntries(
          inputs.map(({ hint, name }) => [logicalId(name), { Type: "String", Description: hint }])
        )
      }),
      Resources: Object.fromEntries(
        fragments.map(({ of, part }) => [
          logicalId(part.label),
          { Type: of.type, Properties: resolved(of.properties, values) }
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

/** A part of a value: itself, or what `Ref` gives of a resource, a parameter or `AWS::Region` and its like. */
export type ValuePiece = string | { readonly ref: string }

/** What each name is. */
export const valuesOf = ({
  fragments,
  inputs,
  known
}: Pick<Document<CloudFormationResource>, "fragments" | "inputs" | "known">): ReadonlyMap<
  string,
  ReadonlyArray<ValuePiece>
> =>
  new Map<string, ReadonlyArray<ValuePiece>>([
    ...inputs.map(({ name }) => [name, [{ ref: logicalId(name) }]] as const),
    ...fragments.flatMap(({ of, part }) =>
      Object.entries(of.makes).map(
        ([name, value]) =>
          [
            name,
            value
              .split(/(\$\{[^}]+\})/)
              .filter((piece) => piece !== "")
              .map((piece): ValuePiece => {
                const inside = /^\$\{(.+)\}$/.exec(piece)?.[1]
                return inside === undefined
                  ? piece
                  : { ref: inside === "this" ? logicalId(part.label) : inside }
              })
          ] as const
      )
    ),
    ...Object.entries(known).map(([name, value]) => [name, [value]] as const)
  ])

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
  const parts = all.map((piece) => (typeof piece === "string" ? piece : { Ref: piece.ref }))
  return parts.length === 1 ? parts[0] : parts.length === 0 ? "" : { "Fn::Join": ["", parts] }
}
