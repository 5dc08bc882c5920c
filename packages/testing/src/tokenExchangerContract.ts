/** What every `TokenExchanger` promises. */
import type { Credential, FederationError, TokenExchanger, TokenRequest } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { assertionFor } from "./assertionFor.ts"
import { answering, callChecks } from "./calls.ts"
import type { RefusedAnswer } from "./calls.ts"
import { register } from "./checks.ts"
import type { Check } from "./checks.ts"
import type { Answer } from "./faults.ts"
import { visible } from "./visible.ts"

export interface TokenExchangerContract<C extends Credential.Credential> {
  /** The exchanger over a `fetch`. */
  readonly make: (
    fetch: Fetch
  ) => Effect.Effect<TokenExchanger.TokenExchanger<C>, FederationError, Scope.Scope>
  /** What it is asked; by default nothing in particular. */
  readonly request?: TokenRequest.TokenRequest
  /** What its assertions say besides `assertionFor`'s usual claims. */
  readonly claims?: Readonly<Record<string, unknown>>
  /**
   * The relying party's good answer, and how long in seconds its credential lives. An exchanger that asks several
   * things tells them by the request.
   */
  readonly well: Answer
  readonly life: number
  /** Its answers that say no. */
  readonly refused: ReadonlyArray<RefusedAnswer>
  /** The secrets in the good answer. */
  readonly secrets: ReadonlyArray<string>
}

/** Registers the contract as tests (vitest), under the exchanger's name. */
export const tokenExchangerContract = <C extends Credential.Credential>(
  name: string,
  contract: TokenExchangerContract<C>
): void => register(name, "a token exchanger", tokenExchangerChecks(contract))

export const tokenExchangerChecks = <C extends Credential.Credential>({
  claims,
  life,
  make,
  refused,
  request = {},
  secrets,
  well
}: TokenExchangerContract<C>): ReadonlyArray<Check> => {
  // Told apart by their ids, where whom they are about is said.
  const assertionOf = (subject: string) => assertionFor(subject, 0, { jti: subject, ...claims })
  const assertion = assertionOf("workload")

  return [
    {
      name: "counts the credential's life from when a request left",
      holds: Effect.gen(function* () {
        yield* TestClock.setTime(5_000_000)
        const services = yield* Effect.context()
        const clock = yield* Clock.Clock
        const left: Array<number> = []
        const exchanger = yield* make(async (url, init) => {
          left.push(clock.currentTimeMillisUnsafe())
          // The answer takes its time.
          await Effect.runPromiseWith(services)(TestClock.adjust("2 seconds"))
          return well(url, init)
        })
        const { expiresAt, obtainedAt } = yield* exchanger.exchange(assertion, request)
        assert.include(left, obtainedAt)
        assert.strictEqual(expiresAt, obtainedAt + life * 1000)
      })
    },
    {
      name: "sends the assertion as it was issued, with each exchange its own",
      holds: Effect.gen(function* () {
        const sent: Array<string> = []
        const exchanger = yield* make(async (url, init) => {
          sent.push(`${url} ${String(init.body)} ${JSON.stringify(init.headers)}`)
          return well(url, init)
        })
        const asks = visible(exchanger.asks)
        const assertions = ["one", "two", "three"].map(assertionOf)
        yield* Effect.forEach(assertions, (each) => exchanger.exchange(each, request), {
          concurrency: "unbounded"
        })
        const carrying = assertions.map(
          ({ token }) => sent.filter((text) => text.includes(Redacted.value(token))).length
        )
        // Once; or with each of the requests of an exchange.
        assert.isAbove(carrying[0] ?? 0, 0, "it is sent")
        assert.deepStrictEqual(new Set(carrying).size, 1, "each is sent as often as the others")
        assert.strictEqual(visible(exchanger.asks), asks, "what it asks does not change")
      })
    },
    {
      name: "shares nothing with another of its kind",
      holds: Effect.gen(function* () {
        const one = yield* make(answering(well))
        const broken = yield* make(async () => new Response("", { status: 503 }))
        const results = yield* Effect.all(
          [one, broken, one, broken].map((exchanger) =>
            Effect.result(exchanger.exchange(assertion, request))
          ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(results.map(Result.isSuccess), [true, false, true, false])
      })
    },
    ...callChecks({
      stage: "exchange",
      make,
      call: (exchanger) => exchanger.exchange(assertion, request),
      well,
      refused,
      absent: [],
      passing: [],
      secrets: [...secrets, Redacted.value(assertion.token)]
    })
  ]
}
