/** The statements of a role's trust policy that let identity providers in. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const OneOrMore = Schema.Union([Schema.String, Schema.Array(Schema.String)])

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html, of a role that federates. */
const Statement = Schema.Struct({
  Effect: Schema.String,
  Action: OneOrMore,
  Principal: Schema.Struct({ Federated: OneOrMore }),
  Condition: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Record(Schema.String, OneOrMore))
  )
})
export type Statement = typeof Statement.Type

const Policy = Schema.Struct({
  Statement: Schema.Union([
    Schema.Array(Schema.Unknown),
    Schema.Record(Schema.String, Schema.Unknown)
  ])
})

const asStatement = Schema.decodeUnknownOption(Statement)
const asPolicy = Schema.decodeUnknownOption(Policy)

/** None when the document is no policy. */
export const federating = (policy: unknown): ReadonlyArray<Statement> =>
  list(Option.getOrUndefined(asPolicy(policy))?.Statement).flatMap((statement) =>
    Option.toArray(asStatement(statement))
  )

/** As IAM writes one or more. */
export const list = <A>(value: A | ReadonlyArray<A> | undefined): ReadonlyArray<A> =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as A]

/** As IAM writes issuers. */
export const withoutScheme = (url: string): string => url.replace(/^https:\/\//, "")
