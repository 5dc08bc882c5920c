/** Federated credentials as Microsoft Graph and its tools print them, and Entra's errors, read for `@federate/trust`. */
import type { Assertion } from "@federate/core"
import type { Demand, ErrorMeaning, Problem, RelyingParty, TrustRecord } from "@federate/trust"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { catalogue, tell } from "./catalogue.ts"
import type { Facts } from "./catalogue.ts"
import { factsOf } from "./classify.ts"
import { clouds } from "./clouds.ts"

/** https://learn.microsoft.com/graph/api/resources/federatedidentitycredential */
const FederatedCredential = Schema.Struct({
  name: Schema.optionalKey(Schema.NullOr(Schema.String)),
  issuer: Schema.String,
  subject: Schema.optionalKey(Schema.NullOr(Schema.String)),
  audiences: Schema.Array(Schema.String),
  claimsMatchingExpression: Schema.optionalKey(
    Schema.NullOr(Schema.Struct({ value: Schema.String }))
  )
})

/** One of them, what Azure Resource Manager has for a managed identity, or lists of either. */
const decode = Schema.decodeUnknownOption(FederatedCredential)
const wrapped = Schema.decodeUnknownOption(
  Schema.Union([
    Schema.Array(Schema.Unknown),
    Schema.Struct({ value: Schema.Array(Schema.Unknown) }),
    Schema.Struct({ name: Schema.String, properties: Schema.Record(Schema.String, Schema.Unknown) })
  ])
)

const records = (document: unknown): ReadonlyArray<TrustRecord> => {
  const found = credentialsIn(document)
  return found.map((credential, index) => record(credential, found.slice(0, index)))
}

const credentialsIn = (document: unknown): ReadonlyArray<typeof FederatedCredential.Type> => {
  const credential = Option.getOrUndefined(decode(document))
  if (credential !== undefined) return [credential]
  const inside = Option.getOrUndefined(wrapped(document))
  if (inside === undefined) return []
  return "properties" in inside
    ? credentialsIn({ name: inside.name, ...inside.properties })
    : ("value" in inside ? inside.value : inside).flatMap(credentialsIn)
}

/** What credentials are for that Entra's own tokens are traded by; the tokens name it by its id. */
const exchange = {
  uri: clouds.public.audience,
  id: "fb60f99c-7a34-4190-8149-302f77469936"
}

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
const most = 20
const longest = { name: 120, text: 600 }

const record = (
  credential: typeof FederatedCredential.Type,
  before: ReadonlyArray<typeof FederatedCredential.Type>
): TrustRecord => {
  const { audiences, claimsMatchingExpression, issuer, name, subject } = credential
  const expression = claimsMatchingExpression?.value
  return {
    kind: "federated credential",
    name: name ?? undefined,
    demands: [
      { claim: "iss", setting: "issuer", expected: [issuer], by: "equals" },
      {
        claim: "aud",
        setting: "audiences",
        expected: audiences.includes(exchange.uri) ? [...audiences, exchange.id] : audiences,
        by: "equals"
      },
      ...(expression === undefined
        ? [{ claim: "sub", setting: "subject", expected: [subject ?? ""], by: "equals" } as const]
        : expressed(expression))
    ],
    // https://learn.microsoft.com/entra/workload-id/workload-identity-federation: RS256 alone is promised.
    algorithms: ["RS256", "RS384", "RS512"],
    problems: [
      ...(audiences.length === 1
        ? []
        : [
            {
              what: `\`audiences\` are ${audiences.length}, and must be exactly one`,
              fix: `Write the one that the token is for: "${exchange.uri}", unless its issuer cannot choose.`
            }
          ]),
      ...(audiences.includes(exchange.id)
        ? [
            {
              what: "`audiences` names the exchange by its id",
              fix: `Write "${exchange.uri}" in \`audiences\`, though the token has the id.`
            }
          ]
        : []),
      ...(subject?.includes("*") === true
        ? [
            {
              what: "`subject` is taken to the letter: its * stands for nothing but itself",
              fix: "Write the whole subject; or, in the place of `subject`, a flexible credential's `claimsMatchingExpression` (preview)."
            }
          ]
        : []),
      ...(name === undefined || name === null || nameForm.test(name)
        ? []
        : [
            {
              what: "`name` is none that Entra takes",
              fix: `Write 3 to ${longest.name} letters, digits, dashes and underscores, beginning with one of the first two.`
            }
          ]),
      ...tooLong({ issuer, subject: subject ?? "", audiences: audiences[0] ?? "" }),
      ...before
        .filter((other) => other.issuer === issuer && other.subject === subject)
        .slice(0, expression === undefined ? 1 : 0)
        .map((other) => ({
          what: `issuer and subject are those of ${other.name ?? "another one"}, too, and Entra takes each pair once`,
          fix: "Delete one of them."
        })),
      ...(before.length < most
        ? []
        : [
            {
              what: `it is number ${before.length + 1}, and an application or identity has ${most} at most`,
              fix: "Delete one that nobody needs, or take another application."
            }
          ])
    ]
  }
}

const nameForm = /^[A-Za-z0-9][\w-]{2,119}$/

/** What has more characters than Entra takes. */
const tooLong = (texts: Readonly<Record<string, string>>): ReadonlyArray<Problem> =>
  Object.entries(texts).flatMap(([setting, { length }]) =>
    length > longest.text
      ? [
          {
            what: `\`${setting}\` has ${length} characters, and ${longest.text} are taken`,
            fix: "Take a token whose claims are shorter."
          }
        ]
      : []
  )

/** `claims['sub'] matches 'repo:o/r:*' and …`: https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials */
const expressed = (expression: string): ReadonlyArray<Demand> => {
  const setting = "claimsMatchingExpression"
  const terms = expression
    .split(/ and (?=claims\[)/)
    .map((term) => /^claims\['([\w.]+)'\] (eq|matches) '((?:[^']|'')*)'$/.exec(term))
  return terms.some((term) => term === null)
    ? [{ claim: "sub", setting, expected: [expression], by: "unreadable" }]
    : terms.map((term) => ({
        claim: term?.[1] ?? "sub",
        setting,
        expected: [(term?.[3] ?? "").replaceAll("''", "'")],
        by: term?.[2] === "eq" ? "equals" : "like"
      }))
}

/** What a code says about claims: those to compare. */
const claims: Readonly<Record<number, ReadonlyArray<string>>> = {
  70021: ["iss", "aud", "sub"],
  70025: ["iss", "aud", "sub"],
  700211: ["iss"],
  700212: ["aud"],
  700213: ["sub"],
  700214: ["aud"],
  700236: ["iss"],
  700263: ["sub"],
  7002131: ["iss", "aud", "sub"],
  7002132: ["iss", "aud", "sub"],
  7002133: ["iss", "aud", "sub"],
  7002134: ["iss", "aud", "sub"],
  7002135: ["iss", "aud", "sub"],
  7002136: ["iss", "aud", "sub"],
  7002137: ["sub"],
  7002138: ["iss", "aud", "sub"]
}

const errors: RelyingParty["errors"] = (said, assertion) => {
  const codes = new Set([...said.matchAll(/AADSTS(\d{4,9})\b/g)].map(([, code]) => Number(code)))
  const facts = known(said, assertion)
  return [...codes].map((code): ErrorMeaning => {
    const entry = catalogue[code]
    return {
      code: `AADSTS${code}`,
      hint:
        entry === undefined
          ? `Look it up at https://login.microsoftonline.com/error?code=${code}.`
          : tell(entry.hint, facts),
      claims: claims[code] ?? []
    }
  })
}

/** What the token says, else what the error's words quote, else a name in its place. */
const known = (text: string, assertion: Assertion.Assertion | undefined): Facts => {
  const quoted = (pattern: RegExp) => pattern.exec(text)?.[1]
  const presented = (claim: string) => {
    const [, value, end] =
      new RegExp(
        `(?:presented assertion ${claim}|Assertion ${claim}:) '([^'\\s]{1,600})('?)`,
        "i"
      ).exec(text) ?? []
    // The text may be cut.
    return value === undefined || end === "'" ? value : `${value}…`
  }
  const request = {
    tenantId: quoted(/tenant '([^'\s]{1,100})'/i) ?? "TENANT_ID",
    clientId: quoted(/(?:application|identifier) '([0-9a-f-]{36})'/i) ?? "CLIENT_ID",
    scope: quoted(/scope '?([^'\s]{1,300})/i) ?? "SCOPE",
    authority: "AUTHORITY"
  }
  if (assertion !== undefined) return factsOf(assertion, request)
  return {
    ...request,
    issuer: presented("issuer") ?? "ISSUER",
    subject: presented("subject") ?? "SUBJECT",
    audience: presented("audience") ?? "AUDIENCE",
    algorithm: "ALGORITHM",
    kid: quoted(/(?:key id:?|certificate with identifier) '?([\w-]{1,100})/i) ?? "KEY_ID"
  }
}

export const relyingParty: RelyingParty = {
  name: "Microsoft Entra",
  records,
  errors
}

export { exchangerRules } from "./rules.ts"

export { trustReader } from "./trustReader.ts"
export { exchangerSide } from "./trustSide.ts"

export { writers } from "./writers.ts"
