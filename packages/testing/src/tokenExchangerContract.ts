/** What every `TokenExchanger` promises. */
import { Assertion } from "@federate/core"
import type { Credential, FederationError, TokenExchanger, TokenRequest } from "@federate/core"
import type { Fetch } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { callContract } from "./contract.ts"
import type { RefusedAnswer } from "./contract.ts"
import { visible } from "./visible.ts"

export interface TokenExchangerContract<C extends Credential.Credential> {
  /** The exchanger over a `fetch`. */
  readonly make: (fetch: Fetch) => Effect.Effect<TokenExchanger.TokenExchanger<C>, FederationError>
  /** What it is asked; by default nothing in particular. */
  readonly request?: TokenRequest.TokenRequest
  /** The relying party's good answer, and how long in seconds its credential lives. */
  readonly well: () => Response
  readonly life: number
  /** Its answers that say no. */
  readonly refused: ReadonlyArray<RefusedAnswer>
  /** The secrets in the good answer. */
  readonly secrets: ReadonlyArray<string>
}

/** An assertion that looks real; only its words are. */
export const assertionFor = (subject: string, obtainedAt = 0): Assertion.Assertion => {
  const claims = { iss: "https://issuer.example", sub: subject, aud: "party", iat: 0, exp: 900 }
  const jwt = [JSON.stringify({ alg: "RS256", kid: "1" }), JSON.stringify(claims), "the signature"]
  return Result.getOrThrow(
    Assertion.fromJwt(Redacted.make(jwt.map((part) => Base64Url.encode(part)).join(".")), {
      obtainedAt
    })
  )
}

/** Registers the contract as tests (vitest), under the adapter's name. */
export const tokenExchangerContract = <C extends Credential.Credential>(
  name: string,
  { life, make, refused, request = {}, secrets, well }: TokenExchangerContract<C>
): void => {
  const assertion = assertionFor("workload")
  const exchange = (fetch: Fetch) =>
    Effect.flatMap(make(fetch), (exchanger) => exchanger.exchange(assertion, request))

  describe(`${name} keeps the contract of a token exchanger`, () => {
    it.effect("counts the credential's life from when the request left", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(5_000_000)
        const services = yield* Effect.context()
        const credential = yield* exchange(async () => {
          // The answer takes its time.
          await Effect.runPromiseWith(services)(TestClock.adjust("2 seconds"))
          return well()
        })
        assert.strictEqual(credential.obtainedAt, 5_000_000)
        assert.strictEqual(credential.expiresAt, 5_000_000 + life * 1000)
        for (const secret of secrets)
          assert.notInclude(visible(credential), secret, "a secret shows")
      })
    )

    it.effect("sends the assertion as it was issued, with each exchange its own", () =>
      Effect.gen(function* () {
        const bodies: Array<string> = []
        const exchanger = yield* make(async (_, { body }) => {
          bodies.push(String(body))
          return well()
        })
        const asks = visible(exchanger.asks)
        const assertions = ["one", "two", "three"].map((subject) => assertionFor(subject))
        yield* Effect.forEach(assertions, (each) => exchanger.exchange(each, request), {
          concurrency: "unbounded"
        })
        for (const each of assertions) {
          const sent = bodies.filter((body) => body.includes(Redacted.value(each.token)))
          assert.strictEqual(sent.length, 1, "each assertion is sent once")
        }
        assert.strictEqual(visible(exchanger.asks), asks, "what it asks does not change")
      })
    )

    callContract({
      stage: "exchange",
      call: exchange,
      well,
      refused,
      secrets: [...secrets, Redacted.value(assertion.token)]
    })
  })
}
