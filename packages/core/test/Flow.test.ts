import { Flow, TokenExchanger } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { issuer, party, text } from "./fakes.ts"
import { ask, steady } from "./running.ts"

describe("Flow.make", () => {
  const pair = (
    offers: Parameters<typeof issuer>[0] extends (infer O) | undefined
      ? O extends { offers?: infer A }
        ? A
        : never
      : never,
    asks: TokenExchanger.TokenExchanger["asks"]
  ) =>
    Flow.make({
      source: issuer({ ...(offers !== undefined && { offers }) }).source,
      exchanger: party({ asks }).exchanger
    })

  it.effect("refuses an algorithm that the exchanger does not take", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        pair({ algorithms: ["ES384"] }, { algorithms: ["RS256", "RS512"] })
      )
      assert.strictEqual(error.stage, "configuration")
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "algorithms")
      assert.match(
        error.message,
        /party takes RS256, RS512, and issuer signs with ES384\. Have the source sign with RS256/
      )
    })
  )

  it.effect("refuses a demanded audience that the source cannot give", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        pair({ audience: { only: "the-pool" } }, { audience: "api://party" })
      )
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "audience")
      assert.match(
        error.message,
        /party demands the audience "api:\/\/party", and issuer can only give "the-pool"/
      )
    })
  )

  it.effect("refuses an issuer, or a domain of issuers, that the exchanger does not take", () =>
    Effect.gen(function* () {
      const notFrom = ["tokens.example"]
      for (const [offered, told] of [
        ["https://one.tokens.example/a", "is https://one.tokens.example/a"],
        [{ within: "tokens.example" }, "is in tokens.example"]
      ] as const) {
        const error = yield* Effect.flip(pair({ issuer: offered }, { notFrom }))
        assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "source")
        assert.include(
          error.message,
          `party does not take the assertions of issuer, whose issuer ${told}.`
        )
      }
      yield* pair({ issuer: "https://mytokens.example" }, { notFrom })
      yield* pair({ issuer: { within: "example" } }, { notFrom })
      yield* pair({ issuer: "https://elsewhere/tokens.example" }, { notFrom })
    })
  )

  it.effect("takes a pair that fits, or may fit", () =>
    Effect.gen(function* () {
      yield* pair({ audience: { only: "the-pool" } }, { preferredAudience: "api://party" })
      yield* pair({ audience: { only: "the-pool" } }, { audience: "the-pool" })
      yield* pair({ audience: "any" }, { audience: "api://party" })
      yield* pair({ algorithms: ["ES384", "RS256"] }, { algorithms: ["RS256"] })
      yield* pair({ algorithms: ["ES384"] }, {})
      yield* pair({}, { audience: "api://party", algorithms: ["RS256"] })
    })
  )

  it.effect("hands out the assertion without an exchanger", () =>
    Effect.gen(function* () {
      const flow = yield* Flow.make({ source: issuer().source })
      assert.strictEqual(flow.name, "issuer to pass-through")
      assert.strictEqual((yield* flow.credential()).tokenType, "N_A")
    })
  )
})

describe("Flow.current", () => {
  it.effect("gives the credential before its soft point, and counts", () =>
    Effect.gen(function* () {
      const flow = yield* Flow.make({ source: issuer().source, exchanger: party().exchanger })
      const scopes = ["a"]
      assert.isUndefined(Flow.current(flow, { scopes }))
      const credential = yield* flow.credential({ scopes })
      yield* TestClock.adjust("44 minutes")
      assert.strictEqual(Flow.current(flow, { scopes }), credential)
      assert.isUndefined(Flow.current(flow))
      assert.strictEqual(flow.entries.get("a")!.hits, 1)
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(Flow.current(flow, { scopes }))
      assert.strictEqual(flow.entries.get("a")!.hits, 1)
    }).pipe(steady(0))
  )

  it.effect("does not give what was rejected", () =>
    Effect.gen(function* () {
      const flow = yield* Flow.make({ source: issuer().source, exchanger: party().exchanger })
      const rejected = yield* flow.credential()
      assert.isUndefined(Flow.current(flow, { rejected }))
      yield* ask(flow, { rejected })
      assert.strictEqual(text(Flow.current(flow, { rejected })!), "token-2")
    })
  )

  it.effect("has nothing to give for a flow that remembers nothing", () =>
    Effect.gen(function* () {
      const flow = Flow.direct({ source: issuer().source, exchanger: party().exchanger })
      yield* ask(flow)
      assert.isUndefined(Flow.current(flow))
    })
  )
})
