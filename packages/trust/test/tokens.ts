/** Tokens that nobody signed, for who only reads them. */
import { Assertion } from "@federate/core"
import { Redacted, Result } from "effect"

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

export const jwt = (claims: Readonly<Record<string, unknown>>, alg = "RS256"): string =>
  `${part({ alg })}.${part(claims)}.AAAA`

export const assertionOf = (
  claims: Readonly<Record<string, unknown>>,
  alg?: string,
  obtainedAt = 0
): Assertion.Assertion =>
  Result.getOrThrow(Assertion.fromJwt(Redacted.make(jwt(claims, alg)), { obtainedAt }))
