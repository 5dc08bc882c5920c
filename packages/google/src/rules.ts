/** What is unsafe or bound to fail with Google Cloud, before any call. */
import type { DocumentRule, ExchangerRules, Expected, Finding, SourceRules } from "@federate/trust"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Options } from "./exchanger.ts"
import type { IdTokenOptions } from "./idTokenExchanger.ts"

/** Of `google.subject`, in bytes: https://cloud.google.com/iam/docs/workload-identity-federation#mapping */
export const longestSubject = 127

/** `exp - iat` may be a day, in milliseconds. */
const longestAssertion = 86_400_000

/** What the adapters say of their settings besides the options of what they make. */
interface Configured extends Partial<Options> {
  readonly credentialsFile?: string | undefined
  readonly foreignHosts?: boolean | undefined
}

const ofFederation = (
  { audience, foreignHosts }: Configured,
  { claims: { sub }, life }: Expected
): ReadonlyArray<Finding> => {
  const bytes = new TextEncoder().encode(sub ?? "").length
  const reserved = /\/(?:workloadIdentityPools|providers)\/(gcp-[^/]*)/.exec(audience ?? "")?.[1]
  return [
    ...(reserved === undefined
      ? []
      : [
          {
            verdict: "wrong",
            subject: "audience",
            what: `"${reserved}" begins with gcp-, which Google keeps for itself: no pool and no provider of yours is called so.`,
            fix: "Take the name from `gcloud iam workload-identity-pools list --location global`."
          } satisfies Finding
        ]),
    ...(bytes <= longestSubject
      ? []
      : [
          {
            verdict: "unknown",
            subject: "audience",
            what: `The assertion's subject has ${bytes} bytes, and google.subject takes ${longestSubject}.`,
            why: "Only the provider's attribute mapping tells whether the whole of it is mapped.",
            fix: "Map something shorter to google.subject, such as a part of it or another claim."
          } satisfies Finding
        ]),
    ...((life?.milliseconds ?? 0) <= longestAssertion
      ? []
      : [
          {
            verdict: "wrong",
            subject: "audience",
            what: "The assertion lives for more than 24 hours, and Google takes none such.",
            fix: "Have the source ask for a shorter one: one exchange is all that it is needed for."
          } satisfies Finding
        ]),
    ...ofForeignHosts(foreignHosts)
  ]
}

const ofForeignHosts = (isAllowed: boolean | undefined): ReadonlyArray<Finding> =>
  isAllowed === true
    ? [
        {
          verdict: "note",
          subject: "foreignHosts",
          what: "Whoever may write the credentials file gets the assertion: it may name any host.",
          fix: "Leave it out, but for another universe or a stand-in."
        }
      ]
    : []

/** In milliseconds. */
const hour = 3_600_000

export const exchangerRules: ExchangerRules<Configured> = {
  type: "google",
  party: "Google Cloud",
  check: (config, expected) => {
    const { lifetime, serviceAccount } = config
    const asked = lifetime === undefined ? 0 : Duration.toMillis(Duration.fromInputUnsafe(lifetime))
    return [
      ...ofFederation(config, expected),
      ...(asked <= hour
        ? []
        : [
            {
              verdict: "unknown",
              subject: "lifetime",
              what: `Tokens of ${asked / 60_000} min are asked for, and over an hour an organization policy must allow it.`,
              fix: "List the account under constraints/iam.allowServiceAccountCredentialLifetimeExtension, or ask for less: a flow refreshes."
            } satisfies Finding
          ]),
      ...(lifetime !== undefined && serviceAccount === undefined
        ? [
            {
              verdict: "note",
              subject: "lifetime",
              what: "It is of a service account's tokens, and none is named: the federated principal's own live as long as Google says.",
              fix: "Leave it out, or name a `serviceAccount`."
            } satisfies Finding
          ]
        : [])
    ]
  }
}

export const idTokenRules: ExchangerRules<IdTokenOptions> = {
  type: "google-id-token",
  party: "Google Cloud",
  check: (config, expected) => ofFederation(config, expected)
}

export const sourceRules: SourceRules<{
  readonly allowExecutables?: boolean | undefined
  readonly foreignHosts?: boolean | undefined
}> = {
  type: "google-external-account",
  expected: () => ({}),
  check: ({ allowExecutables, foreignHosts }) => [
    ...ofForeignHosts(foreignHosts),
    ...(allowExecutables === true
      ? [
          {
            verdict: "note",
            subject: "allowExecutables",
            what: "Whoever may write the credentials file may run commands here.",
            fix: "Have that file written by whoever runs this alone."
          } satisfies Finding
        ]
      : [])
  ]
}

/** `gcloud iam service-accounts get-iam-policy`, and of projects, buckets, …. */
const asPolicy = Schema.decodeUnknownOption(
  Schema.Struct({
    bindings: Schema.Array(
      Schema.Struct({ role: Schema.String, members: Schema.Array(Schema.String) })
    )
  })
)

/** Bindings that let in whoever a pool speaks for, or anybody. */
export const documentRule: DocumentRule = (document) =>
  Option.toArray(asPolicy(document)).flatMap(({ bindings }) =>
    bindings.flatMap(({ members, role }) =>
      members.flatMap((member): ReadonlyArray<Finding> => {
        const what =
          member === "allUsers" || member === "allAuthenticatedUsers"
            ? `${member} have it: everybody does.`
            : /^principalSet:\/\/[^/]+\/.+\/(?:workloadIdentityPools|workforcePools)\/[^/]+\/\*$/.test(
                  member
                )
              ? `${member} have it: whoever any provider of the pool lets in.`
              : undefined
        return what === undefined
          ? []
          : [
              {
                verdict: "risky",
                subject: `binding of ${role}`,
                what,
                fix: "Name the one: principal://iam.googleapis.com/…/subject/SUBJECT, or a principalSet of one attribute."
              }
            ]
      })
    )
  )
