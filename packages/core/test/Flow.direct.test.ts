import {
  AssertionSource,
  Flow,
  Malformed,
  RetryPolicy,
  TokenExchanger,
  Unavailable
} from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { assertionOf, down, exchangeError, issuer, party, refused, sourceError } from "./fakes.ts"
import { ask, jumping, start, steady } from "./running.ts"

const failFirst =
  (times: number, error: Effect.Effect<void, ReturnType<typeof down>>) => (call: number) =>
    call <= times ? error : Effect.void

/** Runs it to its end, whatever time that takes, and tells how much it took. */
const timed = Effect.fnUntraced(function* <A, E>(effect: Effect.Effect<A, E>) {
  const from = yield* Clock.currentTimeMillis
  let to = from
  const fiber = yield* start(
    Effect.ensuring(
      effect,
      Effect.map(Clock.currentTimeMillis, (now) => (to = now))
    )
  )
  yield* TestClock.adjust("10 minutes")
  return { exit: yield* Fiber.await(fiber), took: to - from }
})

describe("Flow.direct", () => {
  it.effect("remembers nothing", () =>
    Effect.gen(function* () {
      const from = issuer()
      const to = party()
      const flow = Flow.direct({ source: from.source, exchanger: to.exchanger })
      assert.strictEqual(flow.name, "issuer to party")
      assert.strictEqual(yield* ask(flow), "token-1")
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(flow.entries.size, 0)
    })
  )

  it.effect("asks the source what the exchanger asks, and hands the request on", () =>
    Effect.gen(function* () {
      const asks = { preferredAudience: "api://party", algorithms: ["RS256"] }
      const from = issuer()
      const to = party({ asks })
      const flow = Flow.direct({ source: from.source, exchanger: to.exchanger })
      yield* ask(flow, { scopes: ["a"], claims: "{}" })
      assert.deepStrictEqual(from.requests, [asks])
      assert.deepStrictEqual(to.calls[0]!.request, { scopes: ["a"], claims: "{}" })
    })
  )

  it.effect("asks the source for the request's audience when the assertion is passed through", () =>
    Effect.gen(function* () {
      const from = issuer()
      const flow = Flow.direct({ source: from.source, exchanger: TokenExchanger.passThrough })
      yield* flow.credential({ audience: "https://elsewhere" })
      yield* flow.credential()
      assert.deepStrictEqual(from.requests, [{ audience: "https://elsewhere" }, {}])
    })
  )
})

describe("a demanded audience", () => {
  it.effect("is what the assertion must be for, whatever the source makes of it", () =>
    Effect.gen(function* () {
      const to = party({ asks: { audience: "somebody else" } })
      const source = AssertionSource.fixed(assertionOf({ aud: "party" }, { obtainedAt: 0 }))
      const flow = Flow.direct({ source, exchanger: to.exchanger })
      const error = yield* Effect.flip(flow.credential())
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "audience")
      assert.match(
        error.message,
        /^fixed: audience: "somebody else" is demanded, and the assertion is for "party"/
      )
      assert.strictEqual(to.calls.length, 0)
      const fits = party({ asks: { audience: "party" } })
      yield* ask(Flow.direct({ source: issuer().source, exchanger: fits.exchanger }))
    })
  )
})

describe("an issuer that the exchanger does not take", () => {
  it.effect("is told before its assertion is sent anywhere", () =>
    Effect.gen(function* () {
      const to = party({ asks: { notFrom: ["tokens.example"] } })
      const source = (iss: string) => ({
        ...AssertionSource.fixed(assertionOf({ iss, aud: "party" }, { obtainedAt: 0 })),
        offers: {}
      })
      const flow = (iss: string) => Flow.direct({ source: source(iss), exchanger: to.exchanger })
      const error = yield* Effect.flip(flow("https://one.tokens.example").credential())
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "source")
      assert.include(error.message, "the assertion is by https://one.tokens.example")
      assert.strictEqual(to.calls.length, 0)
      yield* ask(flow("https://tokens.example.org"))
      assert.strictEqual(to.calls.length, 1)
    })
  )
})

describe("retries", () => {
  it.effect("tries a transient failure four times, with full jitter that doubles", () =>
    Effect.gen(function* () {
      const to = party({ on: () => Effect.fail(down()) })
      const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
      const { exit, took } = yield* timed(flow.credential())
      assert.strictEqual(exit._tag, "Failure")
      assert.strictEqual(to.calls.length, 4)
      // Half of 250, 500 and 1000 ms.
      assert.strictEqual(took, 125 + 250 + 500)
    }).pipe(steady(0.5))
  )

  it.effect("takes the first success", () =>
    Effect.gen(function* () {
      const to = party({ on: failFirst(2, Effect.fail(down())) })
      const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
      const { exit } = yield* timed(ask(flow))
      assert.strictEqual(exit._tag === "Success" && exit.value, "token-3")
    })
  )

  for (const [name, error] of [
    ["refused", refused()],
    ["malformed", exchangeError(new Malformed({ detail: "HTML" }))],
    ["unavailable", sourceError(new Unavailable({ detail: "nothing here" }))]
  ] as const) {
    it.effect(`never tries again what is ${name}`, () =>
      Effect.gen(function* () {
        const to = party({ on: () => Effect.fail(error) })
        const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
        assert.strictEqual(yield* Effect.flip(flow.credential()), error)
        assert.strictEqual(to.calls.length, 1)
      })
    )
  }

  it.effect("adds the pause that the server asks for to its own", () =>
    Effect.gen(function* () {
      const at: Array<number> = []
      const to = party({
        on: (call) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            at.push(now)
            return call === 1 ? Effect.fail(down(now + 7000)) : Effect.void
          })
      })
      const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
      yield* timed(flow.credential())
      assert.strictEqual(at[1]! - at[0]!, 7000 + 125)
    }).pipe(steady(0.5))
  )

  it.effect(
    "fails at once, and says when to come back, when the server's pause is past the deadline",
    () =>
      Effect.gen(function* () {
        const to = party({
          on: () =>
            Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(down(now + 60_000)))
        })
        const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
        const error = yield* Effect.flip(flow.credential())
        assert.strictEqual(to.calls.length, 1)
        assert.strictEqual(error.retryAt, 60_000 + 125)
      }).pipe(steady(0.5))
  )

  it.effect("gives an attempt ten seconds, all of them thirty", () =>
    Effect.gen(function* () {
      let aborted = 0
      const to = party({
        on: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => aborted++))
      })
      const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
      const { exit, took } = yield* timed(Effect.flip(flow.credential()))
      assert.strictEqual(to.calls.length, 3)
      assert.strictEqual(aborted, 3)
      assert.isAtMost(took, 30_000)
      assert.isTrue(
        exit._tag === "Success" && exit.value.adapter === "party" && exit.value.stage === "exchange"
      )
      assert.isTrue(exit._tag === "Success" && exit.value.reason._tag === "Transient")
    }).pipe(steady(0.5))
  )

  it.effect("says whom it waited for in vain", () =>
    Effect.gen(function* () {
      const flow = Flow.direct({
        source: issuer({ on: () => Effect.never }).source,
        exchanger: party().exchanger,
        retry: RetryPolicy.none
      })
      const { exit } = yield* timed(Effect.flip(flow.credential()))
      assert.isTrue(
        exit._tag === "Success" &&
          exit.value.adapter === "issuer" &&
          exit.value.stage === "assertion"
      )
    })
  )

  it.effect("takes any schedule that an app brings, and still heeds Retry-After", () =>
    Effect.gen(function* () {
      const to = party({
        on: (call) =>
          call > 6
            ? Effect.void
            : Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(down(now + 2000)))
      })
      const flow = Flow.direct({
        source: issuer().source,
        exchanger: to.exchanger,
        retry: RetryPolicy.make({ schedule: Schedule.recurs(10) })
      })
      const { took } = yield* timed(ask(flow))
      assert.strictEqual(to.calls.length, 7)
      assert.strictEqual(took, 12_000)
    })
  )

  it.effect("is not upset by a clock that jumps in the middle", () =>
    Effect.gen(function* () {
      const { clock, jump } = yield* jumping
      for (const by of [-3_600_000, 3_600_000]) {
        const to = party({
          on: (call) => (call === 1 ? Effect.andThen(jump(by), Effect.fail(down())) : Effect.void)
        })
        const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
        const { exit } = yield* timed(ask(flow).pipe(Effect.provideService(Clock.Clock, clock)))
        assert.strictEqual(exit._tag, "Success")
      }
    })
  )
})

describe("an exchanger that takes each assertion once", () => {
  const once = (on?: Parameters<typeof party>[0]) => party({ ...on, asks: { singleUse: true } })
  const given = (to: ReturnType<typeof party>) =>
    to.calls.map(({ assertion }) => assertion.claims["jti"])

  it.effect("gets another one with each retry and each credential, whatever is remembered", () =>
    Effect.gen(function* () {
      const to = once({ on: failFirst(2, Effect.fail(down())) })
      const source = yield* AssertionSource.cached(issuer().source)
      const flow = Flow.direct({ source, exchanger: to.exchanger })
      yield* timed(ask(flow))
      yield* ask(flow, { scopes: ["a"] })
      assert.deepStrictEqual(given(to), [1, 2, 3, 4])
    })
  )

  it.effect("never gets one twice from a source that has no other", () =>
    Effect.gen(function* () {
      const to = once()
      const fixed = AssertionSource.fixed(
        assertionOf({ aud: "party", exp: 900, jti: "a" }, { obtainedAt: 0 })
      )
      const flow = Flow.direct({ source: fixed, exchanger: to.exchanger })
      yield* ask(flow)
      const error = yield* Effect.flip(flow.credential())
      assert.strictEqual(to.calls.length, 1)
      assert.deepInclude(error, { adapter: "fixed", stage: "assertion" })
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "source")
    })
  )

  it.effect("gets the next one once the file has been rewritten", () =>
    Effect.gen(function* () {
      const to = once()
      let jti = "a"
      const source = AssertionSource.make({
        name: "file",
        assertion: () => Effect.succeed(assertionOf({ aud: "party", jti }, { obtainedAt: 0 }))
      })
      const flow = Flow.direct({ source, exchanger: to.exchanger })
      yield* ask(flow)
      yield* Effect.flip(flow.credential())
      jti = "b"
      yield* ask(flow)
      assert.deepStrictEqual(given(to), ["a", "b"])
    })
  )
})

describe("remedies", () => {
  it.effect("gives a trust that was just set up two quick tries more", () =>
    Effect.gen(function* () {
      const to = party({ on: () => Effect.fail(refused("waitForTrust")) })
      const flow = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
      const { took } = yield* timed(Effect.flip(flow.credential()))
      assert.strictEqual(to.calls.length, 3)
      assert.strictEqual(took, 1250)
    })
  )

  it.effect("waits for the trust as long as it is told to", () =>
    Effect.gen(function* () {
      const to = party({
        on: () =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            now < 120_000 ? Effect.fail(refused("waitForTrust")) : Effect.void
          )
      })
      const flow = Flow.direct({
        source: issuer().source,
        exchanger: to.exchanger,
        retry: RetryPolicy.waitForTrust("5 minutes")
      })
      const { exit, took } = yield* timed(ask(flow))
      assert.strictEqual(exit._tag, "Success")
      assert.isAtMost(took, 126_000)
    })
  )

  it.effect("gives up waiting for the trust in the end", () =>
    Effect.gen(function* () {
      const to = party({ on: () => Effect.fail(refused("waitForTrust")) })
      const flow = Flow.direct({
        source: issuer().source,
        exchanger: to.exchanger,
        retry: RetryPolicy.waitForTrust("1 minute")
      })
      const { exit, took } = yield* timed(Effect.flip(flow.credential()))
      assert.strictEqual(exit._tag, "Success")
      assert.isAtLeast(took, 55_000)
      assert.isAtMost(took, 90_000)
    })
  )

  /** A source that remembers its assertion until it is told that it was refused. */
  const remembering = () => {
    const from = issuer()
    let held: Effect.Success<ReturnType<typeof from.source.assertion>> | undefined
    return {
      requests: from.requests,
      source: {
        ...from.source,
        assertion: Effect.fnUntraced(function* (request) {
          if (held === undefined || request.rejected === held)
            held = yield* from.source.assertion(request)
          return held
        })
      } satisfies typeof from.source
    }
  }

  it.effect("trades one fresh assertion for a refused one that came from a cache", () =>
    Effect.gen(function* () {
      const from = remembering()
      const to = party({
        on: (call) => (call === 2 ? Effect.fail(refused("freshAssertion")) : Effect.void)
      })
      const flow = Flow.direct({ source: from.source, exchanger: to.exchanger })
      yield* ask(flow)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* ask(flow), "token-3")
      assert.strictEqual(from.requests.length, 2)
      assert.strictEqual(from.requests[1]!.rejected, to.calls[0]!.assertion)
    })
  )

  it.effect("takes only one fresh assertion, then says that a clock is wrong", () =>
    Effect.gen(function* () {
      const from = remembering()
      const to = party({
        on: (call) => (call === 1 ? Effect.void : Effect.fail(refused("freshAssertion")))
      })
      const flow = Flow.direct({ source: from.source, exchanger: to.exchanger })
      yield* ask(flow)
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(flow.credential())
      assert.strictEqual(to.calls.length, 3)
      assert.isTrue(error.reason._tag === "Rejected" && error.reason.hint.includes("clock"))
    })
  )

  it.effect(
    "says that a clock is wrong when a brand-new assertion is refused as out of its time",
    () =>
      Effect.gen(function* () {
        const from = issuer()
        const to = party({ on: () => Effect.fail(refused("freshAssertion")) })
        const flow = Flow.direct({ source: from.source, exchanger: to.exchanger })
        const error = yield* Effect.flip(flow.credential())
        assert.strictEqual(to.calls.length, 1)
        assert.isTrue(error.reason._tag === "Rejected" && error.reason.remedy === "none")
        assert.match(error.message, /a clock is wrong.*1970-01-01T00:00:00/)
      })
  )

  it.effect("takes a fresh one for an assertion that was read when past half of its life", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(600_000)
      let reads = 0
      const source = {
        name: "file",
        offers: {},
        // Signed ten minutes ago for fifteen, then rotated.
        assertion: () =>
          Effect.map(Clock.currentTimeMillis, (obtainedAt) =>
            assertionOf(++reads === 1 ? { iat: 0, exp: 900 } : { iat: 600, exp: 1500 }, {
              obtainedAt
            })
          )
      }
      const to = party({
        on: (call) => (call === 1 ? Effect.fail(refused("freshAssertion")) : Effect.void)
      })
      const flow = Flow.direct({ source, exchanger: to.exchanger })
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(reads, 2)
    })
  )
})
