/** Flows over callers' own assertions: nothing is shared between two of them, and each ends with its assertion. */
import { hash } from "node:crypto"
import { AssertionSource } from "@federate/core"
import type { Assertion, FederationError, Flow } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { maximumForwarded, patience } from "./limits.ts"
import type { ServedTokens } from "./ServedFlow.ts"

/**
 * The flow that trades an assertion, made when it is first asked for.
 *
 * @param policy the name of the policy that trusts the assertion
 * @param assertion verified, and not over
 */
export type Forward = (
  policy: string,
  over: NonNullable<ServedTokens["over"]>,
  flow: string,
  assertion: Assertion.Assertion
) => Effect.Effect<Flow.Flow, FederationError>

interface Held {
  readonly flow: Deferred.Deferred<Flow.Flow, FederationError>
  /** Done when it must make room. */
  readonly dropped: Deferred.Deferred<void>
}

/** At most 1,000 flows, each for one assertion under one policy. They live in the scope that this is made in. */
export const make: Effect.Effect<Forward, never, Scope.Scope> = Effect.gen(function* () {
  // Never those of whoever asked first.
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const held = new Map<string, Held>()

  /** A flow's whole life, which its scope is open for. */
  const live = (
    key: string,
    entry: Held,
    made: ReturnType<NonNullable<ServedTokens["over"]>>,
    { expiresAt = 0 }: Assertion.Assertion
  ) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(made)
      Deferred.doneUnsafe(entry.flow, exit)
      if (exit._tag === "Success") {
        const left = expiresAt - (yield* Clock.currentTimeMillis)
        yield* Effect.timeoutOption(Deferred.await(entry.dropped), Math.max(0, left))
      }
      if (held.get(key) === entry) held.delete(key)
      // Who has asked before still waits for it.
      yield* Effect.sleep(patience)
    }).pipe(Effect.scoped)

  return (policy, over, flow, assertion) =>
    Effect.suspend(() => {
      const key = JSON.stringify([
        policy,
        flow,
        hash("sha256", Redacted.value(assertion.token), "hex")
      ])
      const known = held.get(key)
      if (known !== undefined) {
        // The last in order is the last that was used.
        held.delete(key)
        held.set(key, known)
        return Deferred.await(known.flow)
      }
      const [oldest] = held
      if (oldest !== undefined && held.size >= maximumForwarded) {
        held.delete(oldest[0])
        Deferred.doneUnsafe(oldest[1].dropped, Effect.void)
      }
      const entry: Held = { flow: Deferred.makeUnsafe(), dropped: Deferred.makeUnsafe() }
      held.set(key, entry)
      run(live(key, entry, over(AssertionSource.fixed(assertion, "subject_token")), assertion))
      return Deferred.await(entry.flow)
    })
})
