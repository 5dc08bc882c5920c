/** What every `AssertionSource` promises. */
import type { AssertionSource, FederationError } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { callContract } from "./contract.ts"
import type { RefusedAnswer } from "./contract.ts"
import { visible } from "./visible.ts"

export interface AssertionSourceContract {
  /** The source over a `fetch`. */
  readonly make: (fetch: Fetch) => Effect.Effect<AssertionSource.AssertionSource, FederationError>
  /** The issuer's good answer with this assertion in it. */
  readonly well: (assertion: string) => Response
  /** An assertion as the issuer makes it, issued at the epoch, and how long in seconds it lives. */
  readonly assertion: string
  readonly life: number
  /** Its answers that say no. */
  readonly refused: ReadonlyArray<RefusedAnswer>
  /** What the source is trusted with: access keys, tokens of the platform. */
  readonly secrets: ReadonlyArray<string>
}

/** Registers the contract as tests (vitest), under the adapter's name. */
export const assertionSourceContract = (
  name: string,
  { assertion, life, make, refused, secrets, well }: AssertionSourceContract
): void => {
  const answer = () => well(assertion)
  const ask = (fetch: Fetch, request: AssertionSource.AssertionRequest = {}) =>
    Effect.flatMap(make(fetch), (source) => source.assertion(request))

  describe(`${name} keeps the contract of an assertion source`, () => {
    it.effect(
      "hands the assertion out as it was issued, and counts its life from when the request left",
      () =>
        Effect.gen(function* () {
          // An hour off: only how long it lives may count.
          yield* TestClock.setTime(3_600_000)
          const given = yield* ask(async () => answer())
          assert.strictEqual(Redacted.value(given.token), assertion)
          assert.strictEqual(given.obtainedAt, 3_600_000)
          assert.strictEqual(given.expiresAt, 3_600_000 + life * 1000)
          assert.notInclude(visible(given), assertion, "the assertion shows")
        })
    )

    it.effect("gives the audience that is demanded, or says that it cannot", () =>
      Effect.gen(function* () {
        const result = yield* Effect.result(
          ask(async () => answer(), { audience: "https://demanded.example" })
        )
        if (Result.isSuccess(result))
          assert.include(result.success.audience, "https://demanded.example")
        else
          assert.strictEqual(result.failure.reason._tag, "Misconfigured", visible(result.failure))
      })
    )

    it.effect("offers what it gives", () =>
      Effect.gen(function* () {
        const source = yield* make(async () => answer())
        const { algorithms, audience, issuer } = source.offers
        const given = yield* source.assertion({})
        if (typeof issuer === "string") assert.strictEqual(given.issuer, issuer)
        if (typeof issuer === "object") assert.include(given.issuer, issuer.within)
        if (typeof audience === "object") assert.deepStrictEqual(given.audience, [audience.only])
        if (algorithms !== undefined) assert.include(algorithms, given.algorithm)
      })
    )

    it.effect("says so when what it is given is no JWT", () =>
      Effect.gen(function* () {
        for (const wrong of ["opaque", "a.b", "a.b.c", "x".repeat(1_000_000)]) {
          const { reason } = yield* Effect.flip(ask(async () => well(wrong)))
          assert.strictEqual(reason._tag, "Malformed", wrong.slice(0, 10))
        }
      })
    )

    it.effect("asks the issuer each time: what remembers is put around it", () =>
      Effect.gen(function* () {
        let asked = 0
        const source = yield* make(async () => {
          asked++
          return answer()
        })
        yield* source.assertion({})
        yield* source.assertion({})
        assert.strictEqual(asked, 2)
      })
    )

    callContract({
      stage: "assertion",
      call: ask,
      well: answer,
      refused,
      secrets: [...secrets, assertion]
    })
  })
}
