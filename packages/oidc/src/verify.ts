/** The one strict JWT verifier (RFC 7519, RFC 8725). */
import type { FederationError } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { compactVerify } from "jose"
import { readForm } from "./form.ts"
import { algorithms } from "./key.ts"
import type { KeySet } from "./KeySet.ts"
import { VerificationError } from "./VerificationError.ts"
import type { Check } from "./VerificationError.ts"

export interface VerifyOptions {
  readonly keys: KeySet
  /** What the relying party accepts: its own list, never the token's word. Only asymmetric ones are known. */
  readonly algorithms: ReadonlyArray<string>
  /** Exact, to the letter. */
  readonly issuer?: string
  /** Must be among the token's audiences, exact. */
  readonly audience?: string
  /** Exact, to the letter. */
  readonly subject?: string
  /** Epoch milliseconds. Default: the clock. */
  readonly now?: number
  /** How far clocks may disagree, in milliseconds, at most 300,000. Default 60,000. */
  readonly clockTolerance?: number
}

/** A token that was believed, with all that it says. */
export interface Verified {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

const maximumTolerance = 300_000

/**
 * Verifies a compact JWS: its form, its algorithm against the list, its key (found by `kid` among the issuer's, never
 * in the token), its signature, then the claims that were asked for, then its times; `exp` must be there, `nbf` and
 * `iat` are honoured. The first check that fails is told. What the keys could not be fetched for is a
 * `FederationError`.
 */
export const verify = Effect.fnUntraced(function* (
  token: Redacted.Redacted,
  options: VerifyOptions
): Effect.fn.Return<Verified, VerificationError | FederationError> {
  const fail = (check: Check, detail: string) => new VerificationError({ check, detail })
  const { claims, header, ...assertion } = yield* Effect.fromResult(readForm(token))
  const { alg, kid } = header
  if (typeof alg !== "string" || !options.algorithms.includes(alg) || !algorithms.includes(alg)) {
    return yield* fail(
      "algorithm",
      `The token is signed by ${printed(alg)}; ${options.algorithms.join(", ")} is taken`
    )
  }
  const key = yield* options.keys.find({ alg, ...(typeof kid === "string" && { kid }) })
  yield* Effect.tryPromise({
    try: () => compactVerify(Redacted.value(token), { ...key, alg }, { algorithms: [alg] }),
    catch: () =>
      fail("signature", "The signature is not by the issuer's key, or the token was changed")
  })
  if (options.issuer !== undefined && assertion.issuer !== options.issuer) {
    return yield* fail(
      "issuer",
      `The token is by ${printed(claims["iss"])}, not by "${options.issuer}"`
    )
  }
  if (options.audience !== undefined && !assertion.audience.includes(options.audience)) {
    return yield* fail(
      "audience",
      `The token is for ${printed(claims["aud"])}, not for "${options.audience}"`
    )
  }
  if (options.subject !== undefined && assertion.subject !== options.subject) {
    return yield* fail(
      "subject",
      `The token is about ${printed(claims["sub"])}, not about "${options.subject}"`
    )
  }
  const problem = timeProblem(
    claims,
    options.now ?? (yield* Clock.currentTimeMillis),
    options.clockTolerance
  )
  if (problem !== undefined) return yield* fail("time", problem)
  return { header, claims }
})

const printed = (value: unknown): string => (value === undefined ? "nobody" : JSON.stringify(value))

const timeProblem = (
  { exp, iat, nbf }: Readonly<Record<string, unknown>>,
  now: number,
  tolerance = 60_000
): string | undefined => {
  const slack = Math.min(Math.max(tolerance, 0), maximumTolerance)
  if (typeof exp !== "number") return "The token has no exp"
  if (now >= exp * 1000 + slack) return `The token ended at ${date(exp)}; it is ${date(now / 1000)}`
  for (const [name, from] of Object.entries({ nbf, iat })) {
    if (from === undefined) continue
    if (typeof from !== "number") return `The token's ${name} is not a time`
    if (now < from * 1000 - slack)
      return `The token's ${name} is ${date(from)}; it is ${date(now / 1000)}`
  }
  return undefined
}

const date = (seconds: number): string => {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? `${seconds} s` : time.toISOString()
}
