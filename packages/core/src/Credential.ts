/** What a relying party hands out: anything usable that expires. */
import * as Equal from "effect/Equal"
import type * as Redacted from "effect/Redacted"

/**
 * Times are epoch milliseconds on *our* clock, counted from when the request left: a foreign absolute time is first
 * made a duration by the answer's `Date`, or by the token's `iat`.
 */
export interface Credential {
  /** When the request that brought it left. */
  readonly obtainedAt: number
  readonly expiresAt: number
  /** When the issuer advises to refresh (Entra's `refresh_in`). */
  readonly refreshAt?: number
}

/** An OAuth access token (RFC 6749 §5.1), or whatever else RFC 8693 §2.2.1 lets a token endpoint issue. */
export interface AccessToken extends Credential {
  readonly _tag: "AccessToken"
  readonly token: Redacted.Redacted
  /** As clients want it in a header: `Bearer`; `N_A` when it is not an access token (RFC 8693 §2.2.1). */
  readonly tokenType: string
  /** `urn:ietf:params:oauth:token-type:…` (RFC 8693 §3). */
  readonly issuedTokenType?: string
  readonly scopes?: ReadonlyArray<string>
}

/** Temporary AWS credentials. */
export interface AwsCredentials extends Credential {
  readonly _tag: "AwsCredentials"
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken: Redacted.Redacted
  /** The 12 digits, when the issuer told. */
  readonly accountId?: string
}

export const accessToken = (fields: Omit<AccessToken, "_tag">): AccessToken => ({
  _tag: "AccessToken",
  ...fields
})

export const awsCredentials = (fields: Omit<AwsCredentials, "_tag">): AwsCredentials => ({
  _tag: "AwsCredentials",
  ...fields
})

const isAccessToken = (credential: Credential): credential is AccessToken =>
  "_tag" in credential && credential._tag === "AccessToken"

/**
 * Whether both are one and the same credential. Access tokens are told by the token alone, so that who was refused
 * with a token needs no more than the token to say so.
 */
export const same = (a: Credential, b: Credential): boolean =>
  isAccessToken(a) && isAccessToken(b) ? Equal.equals(a.token, b.token) : Equal.equals(a, b)
