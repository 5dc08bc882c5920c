import {
  Assertion,
  AssertionSource,
  Flow,
  TokenExchanger,
  Transient,
  Unavailable
} from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { assertionOf, issuer, jwt, party, sourceError } from "./fakes.ts"
import { crowd, jumping, start } from "./running.ts"

const jti = (assertion: Assertion.Assertion) => assertion.claims["jti"]

describe("AssertionSource.make", () => {
  const source = AssertionSource.make({
    name: "platform",
    assertion: () => Effect.succeed(assertionOf({ aud: ["x", "y"] }, { obtainedAt: 0 }))
  })

  it.effect("gives an assertion for the audience that is demanded", () =>
    Effect.gen(function* () {
      for (const request of [{}, { preferredAudience: "z" }, { audience: "y" }])
        assert.deepStrictEqual((yield* source.assertion(request)).audience, ["x", "y"])
    })
  )

  it.effect("says so when it has none for that audience", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(source.assertion({ audience: "z" }))
      assert.deepInclude(error, { adapter: "platform", stage: "assertion" })
      assert.strictEqual(error.reason._tag, "Misconfigured")
      assert.include(error.message, '"z" is demanded, and the assertion is for "x", "y"')
    })
  )
})

describe("AssertionSource.fixed", () => {
  it.effect("offers what its assertion is", () =>
    Effect.gen(function* () {
      const assertion = assertionOf(
        { iss: "https://issuer", aud: "x", sub: "y" },
        { obtainedAt: 0 }
      )
      const source = AssertionSource.fixed(assertion)
      assert.deepStrictEqual(source.offers, {
        issuer: "https://issuer",
        audience: { only: "x" },
        algorithms: ["RS256"]
      })
      assert.strictEqual(yield* source.assertion({}), assertion)
      const several = assertionOf({ aud: ["x", "y"] }, { obtainedAt: 0 })
      assert.deepStrictEqual(AssertionSource.fixed(several).offers, { algorithms: ["RS256"] })
    })
  )
})

describe("AssertionSource.firstAvailable", () => {
  const absent = (name: string): AssertionSource.AssertionSource => ({
    name,
    offers: {},
    assertion: () =>
      Effect.fail(
        sourceError(new Unavailable({ detail: `${name} is not here`, hint: `Start ${name}.` }))
      )
  })

  it.effect("goes on when a source is absent", () =>
    Effect.gen(function* () {
      const { source } = issuer()
      const first = AssertionSource.firstAvailable(absent("a"), absent("b"), source)
      assert.strictEqual(first.name, "a | b | issuer")
      assert.strictEqual(jti(yield* first.assertion({})), 1)
    })
  )

  it.effect("stops at a fault, which would change who the workload is", () =>
    Effect.gen(function* () {
      const broken = issuer({
        on: () => Effect.fail(sourceError(new Transient({ detail: "down" })))
      })
      const next = issuer()
      const error = yield* Effect.flip(
        AssertionSource.firstAvailable(broken.source, next.source).assertion({})
      )
      assert.strictEqual(error.reason._tag, "Transient")
      assert.strictEqual(next.requests.length, 0)
    })
  )

  it.effect("tells of each when none is there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        AssertionSource.firstAvailable(absent("a"), absent("b")).assertion({})
      )
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.match(error.message, /a is not here\. Start a\..*b is not here\. Start b\./)
    })
  )
})

describe("AssertionSource.cached", () => {
  it.effect("asks once for all who ask the same", () =>
    Effect.gen(function* () {
      const from = issuer({ on: () => Effect.sleep("1 second") })
      const source = yield* AssertionSource.cached(from.source)
      const callers = yield* start(crowd(100, source.assertion({ audience: "a" })))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(new Set((yield* Fiber.join(callers)).map(jti)), new Set([1]))
      yield* source.assertion({ audience: "a" })
      assert.strictEqual(from.requests.length, 1)
    })
  )

  it.effect("keeps requests apart", () =>
    Effect.gen(function* () {
      const from = issuer()
      const source = yield* AssertionSource.cached(from.source)
      for (const request of [
        {},
        { audience: "a" },
        { audience: "b" },
        { algorithms: ["RS256"] },
        { algorithms: ["ES384"] }
      ]) {
        yield* source.assertion(request)
        yield* source.assertion(request)
      }
      assert.strictEqual(from.requests.length, 5)
    })
  )

  it.effect("hands it out while a quarter of its life is left", () =>
    Effect.gen(function* () {
      const from = issuer({ life: 400_000 })
      const source = yield* AssertionSource.cached(from.source)
      yield* source.assertion({})
      yield* TestClock.adjust("300 seconds")
      assert.strictEqual(jti(yield* source.assertion({})), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(jti(yield* source.assertion({})), 2)
    })
  )

  it.effect("hands it out while 20 s are left, where that is more", () =>
    Effect.gen(function* () {
      const from = issuer({ life: 60_000 })
      const source = yield* AssertionSource.cached(from.source)
      yield* source.assertion({})
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(jti(yield* source.assertion({})), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(jti(yield* source.assertion({})), 2)
    })
  )

  it.effect("asks once, not twice, for an assertion that is too short-lived to keep", () =>
    Effect.gen(function* () {
      const from = issuer({ life: 10_000 })
      const source = yield* AssertionSource.cached(from.source)
      assert.strictEqual(jti(yield* source.assertion({})), 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(jti(yield* source.assertion({})), 2)
      assert.strictEqual(from.requests.length, 2)
    })
  )

  it.effect("keeps nothing that does not say when it ends", () =>
    Effect.gen(function* () {
      let calls = 0
      const source = yield* AssertionSource.cached({
        name: "endless",
        offers: {},
        assertion: () => Effect.sync(() => assertionOf({ n: ++calls }, { obtainedAt: 0 }))
      })
      yield* source.assertion({})
      yield* TestClock.adjust(1)
      yield* source.assertion({})
      assert.strictEqual(calls, 2)
    })
  )

  it.effect("drops it when it is named as rejected, once for all who say so", () =>
    Effect.gen(function* () {
      const from = issuer()
      const source = yield* AssertionSource.cached(from.source)
      const rejected = yield* source.assertion({})
      yield* TestClock.adjust(1)
      const fresh = yield* crowd(10, source.assertion({ rejected }))
      assert.deepStrictEqual(new Set(fresh.map(jti)), new Set([2]))
      assert.strictEqual(jti(yield* source.assertion({ rejected })), 2)
      assert.strictEqual(from.requests.length, 2)
      assert.isTrue(from.requests.every((request) => request.rejected === undefined))
    })
  )

  it.effect("asks each time for an assertion that may serve only once", () =>
    Effect.gen(function* () {
      const from = issuer()
      const source = yield* AssertionSource.cached(from.source)
      const all = yield* crowd(10, source.assertion({ singleUse: true }))
      assert.strictEqual(new Set(all.map(jti)).size, 10)
    })
  )

  it.effect("keeps no failure", () =>
    Effect.gen(function* () {
      const from = issuer({
        on: (call) =>
          call === 1 ? Effect.fail(sourceError(new Transient({ detail: "down" }))) : Effect.void
      })
      const source = yield* AssertionSource.cached(from.source)
      yield* Effect.flip(source.assertion({}))
      assert.strictEqual(jti(yield* source.assertion({})), 2)
    })
  )

  it.effect("goes on while somebody waits, and aborts the call when the last one leaves", () =>
    Effect.gen(function* () {
      let aborted = 0
      const from = issuer({
        on: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => aborted++))
      })
      const source = yield* AssertionSource.cached(from.source)
      const [one, two] = [yield* start(source.assertion({})), yield* start(source.assertion({}))]
      yield* Fiber.interrupt(one)
      assert.strictEqual(aborted, 0)
      yield* Fiber.interrupt(two)
      assert.strictEqual(aborted, 1)
      assert.strictEqual(from.requests.length, 1)
    })
  )

  it.effect("counts the time that really passed when the wall clock is set back", () =>
    Effect.gen(function* () {
      const { clock, jump } = yield* jumping
      const from = issuer({ life: 400_000 })
      const source = yield* AssertionSource.cached(from.source).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
      const next = Effect.map(source.assertion({}), jti).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
      yield* next
      yield* jump(-3_600_000)
      assert.strictEqual(yield* next, 1)
      yield* TestClock.adjust("301 seconds")
      assert.strictEqual(yield* next, 2)
    })
  )
})

describe("AssertionSource.fromFlow", () => {
  it.effect("makes a chain: a flow's token, where it is a JWT, is the next assertion", () =>
    Effect.gen(function* () {
      const first = yield* Flow.make({ name: "first", source: issuer().source })
      const source = AssertionSource.fromFlow(first)
      assert.strictEqual(source.name, "first")
      const to = party()
      const flow = yield* Flow.make({ source, exchanger: to.exchanger })
      yield* flow.credential()
      assert.strictEqual(to.calls[0]!.assertion.subject, "workload")
    })
  )

  it.effect("asks the flow for the audience, and for another one when it was refused", () =>
    Effect.gen(function* () {
      const from = issuer()
      const first = yield* Flow.make({ source: from.source, exchanger: TokenExchanger.passThrough })
      const source = AssertionSource.fromFlow(first)
      const rejected = yield* source.assertion({ audience: "a" })
      yield* source.assertion({ audience: "a" })
      assert.strictEqual(from.requests.length, 1)
      assert.strictEqual(jti(yield* source.assertion({ audience: "a", rejected })), 2)
      assert.deepStrictEqual(from.requests, [{ audience: "a" }, { audience: "a" }])
    })
  )

  it.effect("gives each token once to targets that take each once", () =>
    Effect.gen(function* () {
      const from = issuer()
      const source = AssertionSource.fromFlow(
        yield* Flow.make({ source: from.source, exchanger: TokenExchanger.passThrough })
      )
      yield* source.assertion({})
      const all = yield* crowd(5, source.assertion({ singleUse: true }))
      assert.strictEqual(new Set(all.map(jti)).size, 5)
      assert.strictEqual(from.requests.length, 5)
    })
  )

  it.effect("says so when the token is no JWT", () =>
    Effect.gen(function* () {
      const first = yield* Flow.make({
        name: "first",
        source: issuer().source,
        exchanger: party().exchanger
      })
      const error = yield* Effect.flip(AssertionSource.fromFlow(first).assertion({}))
      assert.strictEqual(error.stage, "assertion")
      assert.match(error.message, /first: The token is not a JWT/)
    })
  )
})

describe("TokenExchanger.passThrough", () => {
  it.effect("hands out the assertion as RFC 8693's N_A", () =>
    Effect.gen(function* () {
      const assertion = assertionOf({ iat: 0, exp: 600 }, { obtainedAt: 0 })
      const credential = yield* TokenExchanger.passThrough.exchange(assertion, {})
      assert.strictEqual(Redacted.value(credential.token), jwt({ iat: 0, exp: 600 }))
      assert.deepInclude(credential, {
        _tag: "AccessToken",
        tokenType: "N_A",
        issuedTokenType: "urn:ietf:params:oauth:token-type:jwt",
        expiresAt: 600_000
      })
    })
  )

  it.effect("refuses one that does not say when it ends", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TokenExchanger.passThrough.exchange(assertionOf({ iat: 0 }, { obtainedAt: 0 }), {})
      )
      assert.strictEqual(error.reason._tag, "Malformed")
    })
  )
})

describe("AssertionSource.make", () => {
  it.effect("tells bare reasons under the source's name", () =>
    Effect.gen(function* () {
      const reason = new Transient({ detail: "down" })
      const source = AssertionSource.make({ name: "mine", assertion: () => Effect.fail(reason) })
      assert.deepStrictEqual(source.offers, {})
      const error = yield* Effect.flip(source.assertion({}))
      assert.deepInclude(error, { adapter: "mine", stage: "assertion", reason })
    })
  )
})

describe("TokenExchanger.make", () => {
  it.effect("tells bare reasons under the exchanger's name", () =>
    Effect.gen(function* () {
      const reason = new Transient({ detail: "down" })
      const exchanger = TokenExchanger.make({ name: "mine", exchange: () => Effect.fail(reason) })
      assert.deepStrictEqual(exchanger.asks, {})
      const error = yield* Effect.flip(exchanger.exchange(assertionOf({}, { obtainedAt: 0 }), {}))
      assert.deepInclude(error, { adapter: "mine", stage: "exchange", reason })
    })
  )
})
