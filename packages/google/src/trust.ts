/** Workload identity pool providers as gcloud prints them, and Google's errors, read for `@federate/trust`. */
import type { Assertion } from "@federate/core"
import type { ErrorMeaning, Problem, RelyingParty, TrustRecord } from "@federate/trust"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { byReason, byStatus, securityTokenService, tell } from "./catalogue.ts"
import type { Facts } from "./catalogue.ts"
import { longestSubject } from "./rules.ts"
import { algorithms } from "./settings.ts"

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
const standing = {
  state: Schema.optionalKey(Schema.String),
  disabled: Schema.optionalKey(Schema.Boolean)
}
const Provider = Schema.Struct({
  name: Schema.String,
  ...standing,
  /** Its pool's own, which the provider's tells nothing of; {@link trustReaders} puts it there. */
  pool: Schema.optionalKey(Schema.Struct(standing)),
  attributeMapping: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  attributeCondition: Schema.optionalKey(Schema.String),
  oidc: Schema.Struct({
    issuerUri: Schema.String,
    allowedAudiences: Schema.optionalKey(Schema.Array(Schema.String))
  })
})
const decode = Schema.decodeUnknownOption(Schema.Union([Provider, Schema.Array(Provider)]))

const records = (document: unknown): ReadonlyArray<TrustRecord> => {
  const read = Option.getOrElse(decode(document), () => [])
  // A list of one type has no other members.
  return ("oidc" in read ? [read] : (read as ReadonlyArray<typeof Provider.Type>)).map(record)
}

interface Standing {
  readonly state?: string | undefined
  readonly disabled?: boolean | undefined
}

/**
 * What is deleted can be brought back for 30 days; until then its name is taken.
 *
 * @param command gcloud's, that does something to it
 */
const fallen = (
  { disabled, state = "ACTIVE" }: Standing,
  what: string,
  command: (verb: "update" | "undelete") => string
): ReadonlyArray<Problem> =>
  state === "DELETED"
    ? [
        {
          what: `${what} is deleted`,
          fix: `Bring it back, which can be done for 30 days: \`${command("undelete")}\`.`
        }
      ]
    : state !== "ACTIVE" || disabled === true
      ? [
          {
            what: `${what} is disabled`,
            fix: `Enable it: \`${command("update")} --no-disabled\`.`
          }
        ]
      : []

const record = ({
  attributeCondition,
  attributeMapping = {},
  disabled,
  name,
  oidc: { allowedAudiences = [], issuerUri },
  pool = {},
  state
}: typeof Provider.Type): TrustRecord => ({
  kind: "workload identity pool provider",
  name,
  demands: [
    { claim: "iss", setting: "oidc.issuerUri", expected: [issuerUri], by: "equals" },
    allowedAudiences.length > 0
      ? { claim: "aud", setting: "oidc.allowedAudiences", expected: allowedAudiences, by: "equals" }
      : {
          claim: "aud",
          // Its own name alone, as none are set.
          setting: "oidc.allowedAudiences",
          expected: [`https://iam.googleapis.com/${name}`, `//iam.googleapis.com/${name}`],
          by: "equals"
        },
    ...(attributeMapping["google.subject"] === "assertion.sub"
      ? [
          {
            claim: "sub",
            setting: "attributeMapping google.subject",
            expected: [`${longestSubject}`],
            by: "atMostBytes"
          } as const
        ]
      : []),
    ...(attributeCondition === undefined
      ? []
      : [
          {
            claim: "sub",
            setting: "attributeCondition",
            expected: [attributeCondition],
            by: "unreadable"
          } as const
        ])
  ],
  algorithms,
  problems: [
    ...fallen(
      { state, disabled },
      "the provider",
      (verb) =>
        `gcloud iam workload-identity-pools providers ${verb === "update" ? "update-oidc" : verb} ${name}`
    ),
    ...fallen(
      pool,
      "the pool",
      (verb) => `gcloud iam workload-identity-pools ${verb} ${name.replace(/\/providers\/.*$/, "")}`
    ),
    ...(attributeMapping["google.subject"] === undefined
      ? [
          {
            what: "`attributeMapping` says nothing of google.subject",
            fix: "Map it, such as `google.subject=assertion.sub`."
          }
        ]
      : [])
  ],
  risks:
    attributeCondition === undefined || /^\s*(true\s*)?$/.test(attributeCondition)
      ? [
          `no \`attributeCondition\`: whoever ${issuerUri} speaks for gets in, and the bindings alone decide what for`
        ]
      : []
})

/** What a code says about claims: those to compare. */
const claims: Readonly<Record<string, ReadonlyArray<string>>> = {
  invalid_grant: ["iss", "aud"],
  unauthorized_client: ["sub"],
  PERMISSION_DENIED: ["sub"]
}

const errors: RelyingParty["errors"] = (said, assertion) => {
  // OAuth's codes are everybody's: these are Google's by its endpoints, its names or its own words.
  if (
    !/google|gcloud|iam\.serviceAccounts|workloadIdentityPool|Identity Provider|ID Token|mapped attribute|attribute (?:condition|mapping)|given credential|target service indicated/i.test(
      said
    )
  )
    return []
  const facts = known(said, assertion)
  const named = new Set(said.match(/\b(?:[a-zA-Z]+(?:_[a-zA-Z]+)+|[A-Z]{6,})\b/g) ?? [])
  // As people paste them: the words without their code.
  for (const [words, code] of ownWords) if (words.test(said)) named.add(code)
  return [...named].flatMap((code): ReadonlyArray<ErrorMeaning> => {
    const entry =
      own(securityTokenService, code)?.find(
        ({ words }) => words === undefined || words.test(said)
      ) ??
      own(byReason, code) ??
      own(byStatus, code)
    return entry === undefined
      ? []
      : [{ code, hint: tell(entry.hint, facts), claims: claims[code] ?? [] }]
  })
}

const ownWords: ReadonlyArray<readonly [words: RegExp, code: string]> = [
  [/Permission 'iam\.serviceAccounts\.\w+' denied/, "PERMISSION_DENIED"],
  [/rejected by the attribute condition|mapped attribute '.*' must be/, "unauthorized_client"],
  [/The size of mapped attribute|Invalid value for "audience"/, "invalid_request"],
  [/The target service indicated by the "audience" parameters/, "invalid_target"],
  [
    /The audience in ID Token|ID Token issued at|Error connecting to the given credential's issuer|The issuer in ID Token/,
    "invalid_grant"
  ]
]

const own = <A>(entries: Readonly<Record<string, A>>, code: string): A | undefined =>
  Object.hasOwn(entries, code) ? entries[code] : undefined

const poolName = "projects/NUMBER/locations/global/workloadIdentityPools/POOL"

/** What the token says, else what the error's words quote, else a name in its place. */
const known = (text: string, assertion: Assertion.Assertion | undefined): Facts => {
  const [name, pool] =
    /(projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+)\/providers\/[a-z0-9-]+/.exec(
      text
    ) ?? []
  const subject = assertion?.subject
  return {
    issuer: assertion?.issuer ?? "ISSUER",
    subject: subject ?? "SUBJECT",
    subjectBytes:
      subject === undefined ? "too many" : `${new TextEncoder().encode(subject).length}`,
    audience:
      assertion?.audience.join(", ") ??
      /audience in ID Token \[([^\]\s]{1,600})\]/.exec(text)?.[1] ??
      "AUDIENCE",
    algorithm: assertion?.algorithm ?? "ALGORITHM",
    provider: `//iam.googleapis.com/${name ?? `${poolName}/providers/PROVIDER`}`,
    pool: pool ?? poolName,
    principal: `principal://iam.googleapis.com/${pool ?? poolName}/subject/${subject ?? "SUBJECT"}`,
    scope: "SCOPES",
    serviceAccount:
      /[\w-]{1,64}@[\w-]{1,64}\.iam\.gserviceaccount\.com/.exec(text)?.[0] ?? "SERVICE_ACCOUNT",
    permission: /iam\.serviceAccounts\.\w+/.exec(text)?.[0] ?? "iam.serviceAccounts.getAccessToken"
  }
}

export const relyingParty: RelyingParty = { name: "Google Cloud", records, errors }

export { trustReaders } from "./trustReader.ts"
export { documentRule, exchangerRules, idTokenRules, sourceRules } from "./rules.ts"
export { exchangerSides } from "./trustSide.ts"
export { writers } from "./writers.ts"
