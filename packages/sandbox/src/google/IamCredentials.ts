/**
 * The IAM Service Account Credentials API: tokens of a service account, for who may act as it.
 *
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts
 */
import * as Effect from "effect/Effect"
import type { KeyRing } from "../KeyRing.ts"
import { json } from "../kernel/Http.ts"
import { denied, invalid, notFound } from "./GoogleError.ts"
import { idToken } from "./idToken.ts"
import * as Policy from "./Policy.ts"
import type { Principal } from "./Principal.ts"
import { findServiceAccount } from "./Project.ts"
import type { Project } from "./Project.ts"
import type { Tokens } from "./Tokens.ts"

export interface Credentials {
  readonly project: Project
  readonly tokens: Tokens
  /** What ID tokens are signed with, and by whom. */
  readonly keys: KeyRing
  readonly issuer: string
  readonly seenUntil: (now: number) => number
}

export interface Call {
  readonly caller: Principal
  /** The e-mail, or the unique id. */
  readonly account: string
  readonly body: Readonly<Record<string, unknown>>
  readonly now: number
}

/** In seconds; more would take an organization policy. */
const longestLifetime = 3600

export const generateAccessToken = Effect.fnUntraced(function* (
  credentials: Credentials,
  call: Call
) {
  const account = yield* act(credentials, call, "iam.serviceAccounts.getAccessToken")
  const { lifetime = "3600s", scope } = call.body
  if (!isTexts(scope) || scope.length === 0) return yield* invalid("scope: must not be empty.")
  const [, digits] = /^(\d{1,6})s$/.exec(typeof lifetime === "string" ? lifetime : "") ?? []
  const asked = Number(digits ?? Number.NaN)
  if (!(asked >= 1)) return yield* invalid("Invalid value at 'lifetime'.")
  if (asked > longestLifetime) {
    return yield* invalid(
      "The access token lifetime cannot exceed 3600 seconds unless the organization policy constraint iam.allowServiceAccountCredentialLifetimeExtension allows it."
    )
  }
  const expiresAt = Math.floor(call.now / 1000 + asked) * 1000
  const principal = { _tag: "ServiceAccount", email: account.email } as const
  return json(200, {
    accessToken: credentials.tokens.issue({ principal, scopes: scope, expiresAt }),
    expireTime: new Date(expiresAt).toISOString().replace(".000Z", "Z")
  })
})

export const generateIdToken = Effect.fnUntraced(function* (credentials: Credentials, call: Call) {
  const account = yield* act(credentials, call, "iam.serviceAccounts.getOpenIdToken")
  const { audience, includeEmail } = call.body
  if (typeof audience !== "string" || audience === "") {
    return yield* invalid("audience: must not be empty.")
  }
  const token = yield* idToken(credentials.keys.current(), {
    issuer: credentials.issuer,
    subject: account.uniqueId,
    audience,
    ...(includeEmail === true && { email: account.email }),
    now: call.now
  })
  return json(200, { token })
})

/** The account, when the caller may act as it, by way of every delegate. */
const act = Effect.fnUntraced(function* (
  { project, seenUntil }: Credentials,
  { account, body, caller, now }: Call,
  permission: string
) {
  const { delegates = [] } = body
  if (!isTexts(delegates)) return yield* invalid("Invalid value at 'delegates'.")
  let principal = caller
  for (const name of [...delegates.map((each) => each.replace(/^.*\//, "")), account]) {
    const next = findServiceAccount(project, name)
    if (next === undefined) {
      return yield* notFound(`Not found; Gaia id not found for email ${name}`)
    }
    const wanted = name === account ? permission : "iam.serviceAccounts.implicitDelegation"
    const isAllowed = [next.policy, project.policy].some((policy) =>
      Policy.allows(policy, principal, wanted, seenUntil(now))
    )
    if (!isAllowed) return yield* denied(wanted)
    principal = { _tag: "ServiceAccount", email: next.email }
  }
  // The last one that was found is it.
  return findServiceAccount(project, account)!
})

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((each) => typeof each === "string")
