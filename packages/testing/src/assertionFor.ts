/** An assertion to be traded in tests. */
import { Assertion } from "@federate/core"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

/**
 * An assertion that looks real; only its words are. It is issued at the epoch for the audience `party`, by
 * `https://issuer.example`, and lives 15 minutes.
 *
 * @param obtainedAt epoch milliseconds
 * @param claims in place of, or besides, the usual ones
 */
export const assertionFor = (
  subject: string,
  obtainedAt = 0,
  claims: Readonly<Record<string, unknown>> = {}
): Assertion.Assertion => {
  const all = {
    iss: "https://issuer.example",
    sub: subject,
    aud: "party",
    iat: 0,
    exp: 900,
    ...claims
  }
  const jwt = [JSON.stringify({ alg: "RS256", kid: "1" }), JSON.stringify(all), "the signature"]
  return Result.getOrThrow(
    Assertion.fromJwt(Redacted.make(jwt.map((part) => Base64Url.encode(part)).join(".")), {
      obtainedAt
    })
  )
}
