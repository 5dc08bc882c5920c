/** Whether an issuer's keys can be had, and one of them signed an assertion: as the other side will look. */
import type { Assertion, FederationError } from "@federate/core"
import type { Fetch } from "@federate/http"
import type { VerificationError } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Finding } from "./Finding.ts"

const why =
  "The other side fetches the issuer's discovery document and keys over the internet, and believes nothing else."

/** Fetches discovery document and keys, and verifies the signature. Times and claims are not looked at. */
export const publishedKeys = Effect.fnUntraced(function* (
  { claims, issuer = "", token }: Assertion.Assertion,
  fetch?: Fetch
): Effect.fn.Return<Finding> {
  const { algorithms, remoteKeys, verify } = yield* Effect.promise(() => import("@federate/oidc"))
  const verified = yield* Effect.result(
    Effect.gen(function* () {
      const keys = yield* remoteKeys({ issuer, ...(fetch && { fetch }) })
      const { iat } = claims
      yield* verify(token, {
        keys,
        algorithms,
        ...(typeof iat === "number" && { now: iat * 1000 })
      })
    })
  )
  const problem = Result.isFailure(verified) ? problemOf(verified.failure, issuer) : undefined
  return problem === undefined
    ? {
        verdict: "right",
        subject: "issuer",
        what: `${issuer} publishes its keys, and one of them signed the assertion.`
      }
    : { verdict: "wrong", subject: "issuer", why, ...problem }
})

const unmodified =
  "Send the token as the platform gave it: nothing may change or cut it on the way."

const problemOf = (
  error: VerificationError | FederationError,
  issuer: string
): Pick<Finding, "what" | "fix"> | undefined => {
  const document = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`
  if (error._tag === "FederationError") {
    const { reason } = error
    return {
      what: `The issuer's keys cannot be had: ${"detail" in reason ? reason.detail : error.message}`,
      fix: `\`curl -i ${document}\` must answer 200 from anywhere on the internet, over https, with "issuer": "${issuer}" to the letter and a \`jwks_uri\` that is as public.`
    }
  }
  switch (error.check) {
    case "key":
      return {
        what: `${error.detail}.`,
        fix: `Publish the key that signs in the key set that ${document} names, among its first 100, before it signs.`
      }
    case "signature":
      return {
        what: `${error.detail}.`,
        fix: unmodified
      }
    case "algorithm":
      return {
        what: `${error.detail}.`,
        fix: "Have the issuer sign with RS256: nobody can verify the other with published keys."
      }
    // Told by itself, by the clocks of both sides.
    case "time":
      return undefined
    default:
      return { what: `The assertion is no whole token: ${error.detail}.`, fix: unmodified }
  }
}
