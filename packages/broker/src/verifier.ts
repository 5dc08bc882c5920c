/** Whether an assertion is what its issuer signed, and not over: by the keys that the policies' issuers publish. */
import type { Assertion, FederationError } from "@federate/core"
import type { Fetch } from "@federate/http"
import { remoteKeys, verify } from "@federate/oidc"
import type { KeySet, VerificationError } from "@federate/oidc"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { refusal, refusalOf } from "./Answer.ts"
import type { Refusal } from "./Answer.ts"
import { misconfigured } from "./ServedFlow.ts"
import type { TrustPolicy } from "./TrustPolicy.ts"

/**
 * @param assertion by one of the policies' issuers, as it says
 * @param algorithms those that are taken
 */
export type Verifier = (
  assertion: Assertion.Assertion,
  algorithms: ReadonlyArray<string>
) => Effect.Effect<void, Refusal>

/**
 * One key set for each issuer, remembered. A fetch goes on when who asked has left, and ends with the scope. Policies that
 * look for the same issuer's keys in different places are `Misconfigured`.
 */
export const make = Effect.fnUntraced(function* (
  policies: ReadonlyArray<TrustPolicy>,
  fetch: Fetch | undefined
): Effect.fn.Return<Verifier, FederationError, Scope.Scope> {
  const run = yield* FiberSet.makeRuntime()
  const sets = new Map<string, KeySet>()
  for (const { issuer, jwksUri, name } of policies) {
    if (policies.find((each) => each.issuer === issuer)?.jwksUri !== jwksUri) {
      return yield* misconfigured(
        `broker.tokenExchange.policies.${name}.jwksUri`,
        `is not what another policy says for ${issuer}`,
        "Say the same in every policy of an issuer."
      )
    }
    if (sets.has(issuer)) continue
    const remote = yield* remoteKeys({
      issuer,
      ...(jwksUri !== undefined && { jwksUri }),
      ...(fetch !== undefined && { fetch })
    })
    sets.set(issuer, {
      find: (header) => Effect.suspend(() => Fiber.join(run(remote.find(header))))
    })
  }
  return Effect.fnUntraced(function* ({ expiresAt, issuer = "", token }, algorithms) {
    const result = yield* Effect.result(
      verify(token, { keys: sets.get(issuer)!, algorithms, issuer })
    )
    const now = yield* Clock.currentTimeMillis
    if (Result.isFailure(result)) {
      const error = result.failure
      return yield* Effect.fail(
        error._tag === "VerificationError"
          ? unbelieved(problem(error, algorithms))
          : refusalOf(error, now)
      )
    }
    // The verifier lets clocks disagree; what is traded on must not be over by ours.
    if (expiresAt === undefined || expiresAt <= now) {
      return yield* Effect.fail(unbelieved("its exp is over, or is no time"))
    }
    if (!isAssertion(result.success.header["typ"])) {
      return yield* Effect.fail(unbelieved("its typ must be JWT, or absent"))
    }
  })
})

const unbelieved = (problem: string): Refusal =>
  refusal("invalid_request", `The subject_token is not believed: ${problem}.`)

/** What failed. Before the signature is believed nothing of the token is repeated. */
const problem = (
  { check, detail }: VerificationError,
  algorithms: ReadonlyArray<string>
): string => {
  switch (check) {
    case "algorithm":
      return `algorithm: it must be signed by ${algorithms.join(" or ")}`
    case "key":
      return "key: its issuer publishes no key that its kid and alg fit"
    default:
      return `${check}: ${detail}`
  }
}

/** Explicit typing (RFC 8725 §3.11): access tokens (`at+jwt`), proofs and the like are no assertions. */
const isAssertion = (typ: unknown): boolean =>
  typ === undefined ||
  (typeof typ === "string" &&
    ["jwt", "jose"].includes(typ.toLowerCase().replace(/^application\//, "")))
