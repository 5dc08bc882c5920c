/**
 * Google's errors, as data: what each means for a flow, and the one fix.
 *
 * The STS has one code for many faults (RFC 6749 §5.2), and only its words tell them apart. What a flow does goes by
 * the code; known words make the hint finer, and say when another assertion or some patience helps. Should Google
 * change them, the code's own entry is still true.
 */
import type { Remedy } from "@federate/core"

/** What a hint may name, written `{name}`: the values that were really sent. */
export interface Facts {
  readonly issuer: string
  readonly subject: string
  /** The assertion's own. */
  readonly audience: string
  readonly algorithm: string
  /** The length of the assertion's subject in UTF-8. */
  readonly subjectBytes: string
  readonly provider: string
  readonly pool: string
  readonly principal: string
  readonly scope: string
  /** The service account's e-mail, or that there is none. */
  readonly serviceAccount: string
  /** What is asked of the service account. */
  readonly permission: string
}

export interface CatalogueEntry {
  readonly remedy: Remedy
  readonly hint: string
  /** The words that it is for; absent: the code as such. */
  readonly words?: RegExp
}

const none = (hint: string, words?: RegExp): CatalogueEntry => ({
  remedy: "none",
  hint,
  ...(words && { words })
})
const waitForTrust = (hint: string, words?: RegExp): CatalogueEntry => ({
  remedy: "waitForTrust",
  hint: `${hint} What was just set up takes up to five minutes to spread.`,
  ...(words && { words })
})

const describe = "`gcloud iam workload-identity-pools providers describe` shows it"

/** The STS's, by `error`; the first whose words fit, and the last of each has none. */
export const securityTokenService: Readonly<Record<string, ReadonlyArray<CatalogueEntry>>> = {
  invalid_request: [
    none(
      "The subject {subject} has {subjectBytes} bytes, and Google takes 127 for google.subject: map something shorter (`google.subject=assertion.sub.extract(…)`), or shorten what the issuer writes.",
      /mapped attribute/i
    ),
    none(
      "{provider} must be //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, with the project's number and not its id.",
      /value for "audience"/i
    ),
    none("The request is malformed: compare the audience {provider}, the scopes {scope}.")
  ],
  invalid_target: [
    waitForTrust(
      "There is no provider {provider}, or it or its pool is disabled or deleted: compare project number, pool and provider letter by letter."
    )
  ],
  invalid_grant: [
    none(
      "The token's audience is {audience}. The provider takes its own name (https:{provider}) unless it lists `allowed-audiences`: give the source that audience, or list {audience} there and write it as `allowedAudience`.",
      /audience/i
    ),
    waitForTrust(
      "Google could not fetch the keys of {issuer}: its discovery document and key set must be public, on https, and answer quickly; or upload them to the provider (`--jwk-json-path`).",
      /connecting to|signing keys|jwks/i
    ),
    none(
      "The token's issuer is {issuer}; the provider's `issuer-uri` must be exactly that, trailing slash included.",
      /issuer/i
    ),
    {
      remedy: "freshAssertion",
      hint: "The assertion is expired, too old or not valid yet: take a new one, and check the clocks.",
      words: /stale|expired|issued at|future/i
    },
    none(
      "The signature is not by a key that {issuer} publishes (or that was uploaded to the provider), or it is by {algorithm}: Google takes RS256 and ES256.",
      /signature|algorithm/i
    ),
    none(
      `Google did not believe the token. It is by {issuer} for {audience}, signed with {algorithm}; compare issuer and allowed audiences with the provider (${describe}).`
    )
  ],
  unauthorized_client: [
    none(
      `The provider's attribute condition refuses this token: compare the condition (${describe}) with the token's claims; its subject is {subject}.`,
      /attribute condition/i
    ),
    none(
      "The provider's attribute mapping does not fit this token: every expression must give a text, from a claim that the token has.",
      /mapped attribute|mapping/i
    ),
    none(
      `The provider does not let this token in (${describe}): compare its attribute condition and mapping with the token's claims.`
    )
  ],
  invalid_client: [
    none(
      "Google wants an OAuth client here, as workforce pools may demand: federation of workloads has none."
    )
  ],
  invalid_scope: [none("Google does not know one of the scopes {scope}.")],
  unsupported_grant_type: [none("The endpoint is not Google's STS: check `stsEndpoint`.")],
  unsupported_token_type: [
    none("The provider takes another kind of token: an OIDC provider takes JWTs.")
  ],
  access_denied: [
    none(
      "The organization's policy does not let this principal in: its administrator must allow {pool}."
    )
  ]
}

/** Google's APIs', by `error.details[].reason` (https://cloud.google.com/apis/design/errors#error_info). */
export const byReason: Readonly<Record<string, CatalogueEntry>> = {
  SERVICE_DISABLED: waitForTrust(
    "An API is switched off in the project: `gcloud services enable sts.googleapis.com iamcredentials.googleapis.com`."
  ),
  ACCESS_TOKEN_TYPE_UNSUPPORTED: none(
    "This API takes no federated tokens: name a `serviceAccount` to act as."
  )
}

/** Google's APIs', by `error.status`. */
export const byStatus: Readonly<Record<string, CatalogueEntry>> = {
  PERMISSION_DENIED: waitForTrust(
    "{principal} lacks {permission} on {serviceAccount}, or there is no such account. `gcloud iam service-accounts add-iam-policy-binding {serviceAccount} --role roles/iam.workloadIdentityUser --member {principal}` grants it (roles/iam.serviceAccountTokenCreator does too), when the provider maps google.subject=assertion.sub."
  ),
  NOT_FOUND: waitForTrust(
    "There is no service account {serviceAccount}: compare its e-mail with `gcloud iam service-accounts list`."
  ),
  INVALID_ARGUMENT: none(
    "Google refused a setting: the scopes {scope}, or a `lifetime` over an hour, which the organization policy iam.allowServiceAccountCredentialLifetimeExtension must allow for {serviceAccount}."
  ),
  FAILED_PRECONDITION: none("{serviceAccount} is disabled: enable it, or name another."),
  UNAUTHENTICATED: {
    remedy: "freshAssertion",
    hint: "Google refused the federated token that its own STS had just issued: it was too near its end, or the endpoints are of two universes."
  }
}

/** The errors of the APIs that keep a trust, by reason and by status; their hints name no facts. */
export const management: Readonly<Record<string, CatalogueEntry>> = {
  SERVICE_DISABLED: waitForTrust(
    "An API is switched off in the project: `gcloud services enable iam.googleapis.com cloudresourcemanager.googleapis.com`."
  ),
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: none(
    "The token is not for https://www.googleapis.com/auth/cloud-platform: take one that is."
  ),
  UNAUTHENTICATED: none(
    "The token has expired, or is not Google's: `gcloud auth print-access-token` prints a new one."
  ),
  PERMISSION_DENIED: none(
    "Whoever holds the token lacks the permission that the message names: roles/iam.workloadIdentityPoolAdmin has those of pools and providers, roles/iam.serviceAccountAdmin those of service accounts."
  ),
  NOT_FOUND: none("There is no such thing in the project: compare its name, letter by letter."),
  // Somebody else wrote meanwhile, or what was written before has not settled: what is read anew can be written again.
  ALREADY_EXISTS: waitForTrust("Somebody has just made it."),
  ABORTED: waitForTrust("Somebody else changed it at the same time."),
  INVALID_ARGUMENT: none("A name or a value is out of its bounds: the message names it."),
  FAILED_PRECONDITION: none("It is not in a state for this: the message says why."),
  RESOURCE_EXHAUSTED: none("The project has no room for more: the message names the quota.")
}

/** A hint with its facts put in. */
export const tell = (hint: string, facts: Facts): string =>
  // Only the names of facts stand between braces.
  hint.replace(/\{(\w+)\}/g, (_, name: string) => facts[name as keyof Facts])
