import {
  Flow,
  Malformed,
  Misconfigured,
  RefreshPolicy,
  RetryPolicy,
  Unavailable
} from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { down, exchangeError, issuer, party, refused, text } from "./fakes.ts"
import { ask, crowd, jumping, logged, settle, start, steady } from "./running.ts"

const minute = 60_000

/** A flow whose credentials live an hour: with no jitter soft at 45 minutes, hard at 59. */
const hourly = Effect.fnUntraced(function* (options: Parameters<typeof party>[0] = {}) {
  const from = issuer()
  const to = party(options)
  const flow = yield* Flow.make({ name: "hourly", source: from.source, exchanger: to.exchanger })
  return { flow, from, to }
})

describe("a cold flow", () => {
  it.effect("fetches once for all who ask the same", () =>
    Effect.gen(function* () {
      const { flow, from, to } = yield* hourly({ on: () => Effect.sleep("1 second") })
      const callers = yield* start(crowd(1000, ask(flow)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(new Set(yield* Fiber.join(callers)), new Set(["token-1"]))
      assert.strictEqual(from.requests.length, 1)
      assert.strictEqual(to.calls.length, 1)
    })
  )

  it.effect("fetches once more for all when what it has is expired", () =>
    Effect.gen(function* () {
      const { flow, from, to } = yield* hourly()
      yield* ask(flow)
      yield* TestClock.adjust("61 minutes")
      assert.deepStrictEqual(new Set(yield* crowd(1000, ask(flow))), new Set(["token-2"]))
      assert.strictEqual(from.requests.length, 2)
      assert.strictEqual(to.calls.length, 2)
    })
  )

  it.effect("keeps requests apart by scopes, audience and claims, whatever their order", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly()
      assert.strictEqual(yield* ask(flow, { scopes: ["b", "a", "b"] }), "token-1")
      assert.strictEqual(yield* ask(flow, { scopes: ["a", "b"] }), "token-1")
      assert.strictEqual(yield* ask(flow, { scopes: ["a"] }), "token-2")
      assert.strictEqual(yield* ask(flow, { scopes: ["a"], audience: "x" }), "token-3")
      assert.strictEqual(yield* ask(flow, { scopes: ["a"], claims: "{}" }), "token-4")
      assert.strictEqual(yield* ask(flow), "token-5")
      assert.strictEqual(to.calls.length, 5)
    })
  )

  it.effect("serves what answers a claims challenge to who asks without claims, too", () =>
    Effect.gen(function* () {
      // Shorter than what was challenged: it takes its place all the same.
      const { flow, to } = yield* hourly({ life: (call) => (call === 3 ? 20 : 60) * minute })
      assert.strictEqual(yield* ask(flow, { scopes: ["a"] }), "token-1")
      assert.strictEqual(yield* ask(flow, { scopes: ["b"] }), "token-2")
      const challenged = { scopes: ["a"], claims: "{}" }
      assert.deepStrictEqual(
        new Set(yield* crowd(100, ask(flow, challenged))),
        new Set(["token-3"])
      )
      assert.strictEqual(yield* ask(flow, { scopes: ["a"] }), "token-3")
      assert.strictEqual(yield* ask(flow, { scopes: ["b"] }), "token-2")
      assert.strictEqual(to.calls.length, 3)
    })
  )

  it.effect("serves it, too, to who was waiting for a flight that then fails", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly({
        on: (call) =>
          call === 1 ? Effect.andThen(Effect.sleep("5 seconds"), refused()) : Effect.void
      })
      const waiting = yield* start(ask(flow, { scopes: ["a"] }))
      assert.strictEqual(yield* ask(flow, { scopes: ["a"], claims: "{}" }), "token-2")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* Fiber.join(waiting), "token-2")
    })
  )

  it.effect("reads memory each time it is run, not when it is built", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly()
      const credential = ask(flow)
      assert.strictEqual(yield* credential, "token-1")
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(yield* credential, "token-2")
    })
  )
})

describe("refresh ahead", () => {
  it.effect("hands out the old one at once and refreshes once, in the background", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({
        on: (call) => (call === 1 ? Effect.void : Effect.sleep("3 seconds"))
      })
      yield* ask(flow)
      yield* TestClock.adjust("44 minutes")
      yield* ask(flow)
      assert.strictEqual(to.calls.length, 1)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(new Set(yield* crowd(1000, ask(flow))), new Set(["token-1"]))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(to.calls.length, 2)
    }).pipe(steady(0))
  )

  it.effect("heeds when the server advises to refresh", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({ refreshIn: 10 * minute })
      yield* ask(flow)
      yield* TestClock.adjust("10 minutes")
      yield* ask(flow)
      yield* settle
      assert.strictEqual(to.calls.length, 2)
    }).pipe(steady(0))
  )

  it.effect(
    "makes one short attempt, warns of a failure once, and tries again 3, 6, 12 … 60 s later",
    () => {
      const log = logged()
      return Effect.gen(function* () {
        const at: Array<number> = []
        const { flow } = yield* hourly({
          on: (call) =>
            call === 1
              ? Effect.void
              : Effect.flatMap(Clock.currentTimeMillis, (now) => {
                  at.push(now / 1000)
                  return Effect.fail(down())
                })
        })
        yield* ask(flow)
        yield* TestClock.adjust("45 minutes")
        // Somebody asks each second.
        for (let second = 0; second < 200; second++) {
          assert.strictEqual(yield* ask(flow), "token-1")
          yield* TestClock.adjust("1 second")
        }
        assert.deepStrictEqual(
          at.map((time) => time - 2700),
          [0, 3, 9, 21, 45, 93, 153]
        )
        assert.strictEqual(log.lines.length, 7)
        assert.match(log.lines[0]!, /background refresh failed.*It is down/)
        assert.strictEqual(flow.entries.get("")?.error?.reason._tag, "Transient")
        assert.strictEqual(flow.entries.get("")?.failed, 7)
      }).pipe(steady(0), Effect.provide(log.layer))
    }
  )

  it.effect("gives a background refresh five seconds", () =>
    Effect.gen(function* () {
      let aborted = false
      const { flow } = yield* hourly({
        on: (call) =>
          call === 1
            ? Effect.void
            : Effect.onInterrupt(Effect.never, () =>
                Effect.sync(() => {
                  aborted = true
                })
              )
      })
      yield* ask(flow)
      yield* TestClock.adjust("45 minutes")
      yield* ask(flow)
      yield* TestClock.adjust("4999 millis")
      assert.isTrue(flow.entries.get("")?.refreshing)
      yield* TestClock.adjust("1 millis")
      assert.isFalse(flow.entries.get("")?.refreshing)
      assert.isTrue(aborted)
    }).pipe(steady(0), Effect.provide(logged().layer))
  )

  it.effect("leaves it be for 30 s when a refresh brings no later end", () =>
    Effect.gen(function* () {
      // A metadata server that hands out the same token again.
      const { flow, to } = yield* hourly({
        life: (call) => (call === 1 ? 60 * minute : 15 * minute)
      })
      yield* ask(flow)
      yield* TestClock.adjust("45 minutes")
      yield* ask(flow)
      yield* settle
      assert.strictEqual(to.calls.length, 2)
      yield* TestClock.adjust("29 seconds")
      yield* ask(flow)
      yield* settle
      assert.strictEqual(to.calls.length, 2)
      yield* TestClock.adjust("14 minutes")
      yield* ask(flow)
      yield* settle
      assert.strictEqual(to.calls.length, 3)
    }).pipe(steady(0))
  )

  it.effect("keeps whichever lives longer", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly({ life: (call) => (call === 1 ? 60 * minute : minute) })
      yield* ask(flow)
      yield* TestClock.adjust("45 minutes")
      yield* ask(flow)
      yield* settle
      assert.strictEqual(yield* ask(flow), "token-1")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* ask(flow), "token-1")
    }).pipe(steady(0))
  )

  it.effect("lets no background failure stand in the way of who has nothing valid", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({
        on: (call) => (call === 2 ? Effect.fail(refused()) : Effect.void)
      })
      yield* ask(flow)
      yield* TestClock.adjust("59 minutes")
      yield* TestClock.adjust("-1 seconds")
      yield* ask(flow)
      yield* settle
      assert.strictEqual(to.calls.length, 2)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* ask(flow), "token-3")
    }).pipe(steady(0), Effect.provide(logged().layer))
  )

  it.effect("keeps a background 429's Retry-After for everybody", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({
        on: (call) =>
          call === 2
            ? Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(down(now + 20 * minute)))
            : Effect.void
      })
      yield* ask(flow)
      yield* TestClock.adjust("58 minutes")
      yield* ask(flow)
      yield* settle
      yield* TestClock.adjust("10 minutes")
      const error = yield* Effect.flip(ask(flow))
      assert.strictEqual(error.retryAt, 78 * minute)
      assert.strictEqual(to.calls.length, 2)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* ask(flow), "token-3")
    }).pipe(steady(0), Effect.provide(logged().layer))
  )
})

describe("past the hard point", () => {
  const slowlyRefreshed = (pause: "30 seconds" | "500 millis") =>
    hourly({ on: (call) => (call === 1 ? Effect.void : Effect.sleep(pause)) })

  it.effect("waits a little and gets the new one", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* slowlyRefreshed("500 millis")
      yield* ask(flow)
      yield* TestClock.adjust("59 minutes")
      const callers = yield* start(crowd(1000, ask(flow)))
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(new Set(yield* Fiber.join(callers)), new Set(["token-2"]))
      assert.strictEqual(to.calls.length, 2)
    })
  )

  it.effect("gets the old one after a second, with one warning, while the flight goes on", () => {
    const log = logged()
    return Effect.gen(function* () {
      const { flow, to } = yield* slowlyRefreshed("30 seconds")
      yield* ask(flow)
      yield* TestClock.adjust("59 minutes")
      const callers = yield* start(crowd(100, ask(flow)))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(callers.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(new Set(yield* Fiber.join(callers)), new Set(["token-1"]))
      // What has kept one caller waiting keeps no other.
      assert.strictEqual(yield* ask(flow), "token-1")
      assert.strictEqual(log.lines.length, 1)
      assert.isTrue(flow.entries.get("")?.refreshing)
      assert.strictEqual(to.calls.length, 2)
    }).pipe(Effect.provide(log.layer))
  })

  it.effect("never waits into the last moment of what it has", () =>
    Effect.gen(function* () {
      const { flow } = yield* slowlyRefreshed("30 seconds")
      yield* ask(flow)
      // 5.4 s before the end: at most 0.4 s of waiting.
      yield* TestClock.adjust(60 * minute - 5400)
      const caller = yield* start(ask(flow))
      yield* TestClock.adjust("399 millis")
      assert.isUndefined(caller.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(caller), "token-1")
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("hides every failure while what it has is valid, and shows it when nothing is", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly({
        on: (call) => (call === 1 ? Effect.void : Effect.fail(refused()))
      })
      yield* ask(flow)
      yield* TestClock.adjust(59 * minute)
      for (let second = 0; second < 60; second++) {
        assert.strictEqual(yield* ask(flow), "token-1")
        yield* TestClock.adjust("1 second")
      }
      const error = yield* Effect.flip(ask(flow))
      assert.strictEqual(error.reason._tag, "Rejected")
    }).pipe(Effect.provide(logged().layer))
  )

  it.effect("waits for a background refresh that is under way, then flies with all attempts", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({
        on: (call) =>
          call === 2 ? Effect.andThen(Effect.sleep("4 seconds"), Effect.fail(down())) : Effect.void
      })
      yield* ask(flow)
      yield* TestClock.adjust(59 * minute - 2000)
      yield* ask(flow)
      yield* TestClock.adjust("90 seconds")
      // Now expired, with the background refresh long failed.
      assert.strictEqual(yield* ask(flow), "token-3")
      assert.strictEqual(to.calls.length, 3)
    }).pipe(steady(0), Effect.provide(logged().layer))
  )

  it.effect(
    "follows a failing background refresh with a flight of its own when the credential ends meanwhile",
    () =>
      Effect.gen(function* () {
        // Lives 10 s: hard at 9 s.
        const { flow, to } = yield* hourly({
          life: 10_000,
          on: (call) =>
            call === 2
              ? Effect.andThen(Effect.sleep("4 seconds"), Effect.fail(down()))
              : Effect.void
        })
        yield* ask(flow)
        yield* TestClock.adjust("8 seconds")
        assert.strictEqual(yield* ask(flow), "token-1")
        yield* TestClock.adjust("3 seconds")
        const caller = yield* start(ask(flow))
        assert.isUndefined(caller.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(caller), "token-3")
        assert.strictEqual(to.calls.length, 3)
      }).pipe(steady(0), Effect.provide(logged().layer))
  )
})

describe("failures", () => {
  const failing = (error: ReturnType<typeof refused>) => hourly({ on: () => Effect.fail(error) })

  it.effect("stand for 1 s, doubling to 60 s, after transient ones", () =>
    Effect.gen(function* () {
      const to = party({ on: () => Effect.fail(down()) })
      const flow = yield* Flow.make({
        source: issuer().source,
        exchanger: to.exchanger,
        retry: RetryPolicy.none
      })
      const pauses: Array<number> = []
      for (let round = 1; round <= 9; round++) {
        const { retryAt } = yield* Effect.flip(ask(flow))
        const pause = retryAt! - (yield* Clock.currentTimeMillis)
        pauses.push(pause)
        yield* TestClock.adjust(pause - 1)
        assert.strictEqual((yield* Effect.flip(ask(flow))).retryAt, retryAt)
        assert.strictEqual(to.calls.length, round)
        yield* TestClock.adjust(1)
      }
      assert.deepStrictEqual(
        pauses,
        [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]
      )
    })
  )

  for (const [name, error] of [
    ["refused", refused()],
    ["malformed", exchangeError(new Malformed({ detail: "HTML" }))]
  ] as const) {
    it.effect(`stand for 10 s after a ${name} one`, () =>
      Effect.gen(function* () {
        const { flow, to } = yield* failing(error)
        yield* Effect.flip(ask(flow))
        yield* TestClock.adjust("9 seconds")
        const standing = yield* Effect.flip(ask(flow))
        assert.strictEqual(standing.reason, error.reason)
        assert.strictEqual(standing.retryAt, 10_000)
        assert.strictEqual(to.calls.length, 1)
        yield* TestClock.adjust("1 second")
        yield* Effect.flip(ask(flow))
        assert.strictEqual(to.calls.length, 2)
      })
    )
  }

  for (const [name, reason] of [
    ["unavailable", new Unavailable({ detail: "nothing here" })],
    ["misconfigured", new Misconfigured({ setting: "x", problem: "is wrong", hint: "Mend it." })]
  ] as const) {
    it.effect(`are not kept when ${name}`, () =>
      Effect.gen(function* () {
        const { flow, to } = yield* failing(exchangeError(reason))
        yield* Effect.flip(ask(flow))
        assert.isUndefined((yield* Effect.flip(ask(flow))).retryAt)
        assert.strictEqual(to.calls.length, 2)
      })
    )
  }

  it.effect("heed the server's Retry-After exactly, an hour at most", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({
        on: () =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.fail(down(now + 24 * 60 * minute))
          )
      })
      yield* Effect.flip(ask(flow))
      assert.strictEqual((yield* Effect.flip(ask(flow))).retryAt, 60 * minute)
      yield* TestClock.adjust(60 * minute - 1)
      yield* Effect.flip(ask(flow))
      assert.strictEqual(to.calls.length, 1)
      yield* TestClock.adjust(1)
      yield* Effect.flip(ask(flow))
      assert.strictEqual(to.calls.length, 2)
    })
  )

  it.effect("are forgotten when a flight succeeds", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly({
        on: (call) => (call === 1 ? Effect.fail(refused()) : Effect.void)
      })
      yield* Effect.flip(ask(flow))
      assert.isDefined(flow.entries.get("")?.error)
      yield* TestClock.adjust("10 seconds")
      yield* ask(flow)
      assert.isUndefined(flow.entries.get("")?.error)
      assert.isUndefined(flow.entries.get("")?.retryAt)
    })
  )

  it.effect("say that a credential arrived expired", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({ life: 0 })
      const error = yield* Effect.flip(ask(flow))
      assert.strictEqual(error.reason._tag, "Malformed")
      assert.strictEqual(to.calls.length, 2)
    })
  )

  it.effect("pass a defect on to who asked, and keep nothing", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly({
        on: (call) => (call === 1 ? Effect.die("boom") : Effect.void)
      })
      assert.isTrue(Exit.hasDies(yield* Effect.exit(ask(flow))))
      assert.strictEqual(yield* ask(flow), "token-2")
    })
  )
})

describe("a rejected credential", () => {
  it.effect("is dropped, and another one is fetched", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly()
      const first = yield* flow.credential()
      const tokens = yield* crowd(100, ask(flow, { rejected: first }))
      assert.deepStrictEqual(new Set(tokens), new Set(["token-2"]))
      assert.strictEqual(to.calls.length, 2)
      assert.strictEqual(to.calls[1]!.request.rejected, first)
    })
  )

  it.effect("is no reason to drop a newer one", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly()
      const first = yield* flow.credential()
      yield* flow.credential({ rejected: first })
      assert.strictEqual(yield* ask(flow, { rejected: first }), "token-2")
      assert.strictEqual(to.calls.length, 2)
    })
  )

  it.effect("is told by its token alone", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly()
      const { token } = yield* flow.credential()
      const retold = {
        _tag: "AccessToken",
        token,
        tokenType: "Bearer",
        obtainedAt: 0,
        expiresAt: 0
      } as const
      assert.strictEqual(yield* ask(flow, { rejected: retold }), "token-2")
    })
  )
})

describe("flights", () => {
  it.effect("serve the rest when half of the callers leave", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({ on: () => Effect.sleep("1 second") })
      const callers = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.forkChild(ask(flow))
      )
      yield* settle
      yield* Effect.forEach(callers.slice(0, 50), Fiber.interrupt)
      yield* TestClock.adjust("1 second")
      const tokens = yield* Effect.forEach(callers.slice(50), Fiber.join)
      assert.deepStrictEqual(new Set(tokens), new Set(["token-1"]))
      assert.strictEqual(to.calls.length, 1)
    })
  )

  it.effect("go on when every caller has left, and serve the next", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly({ on: () => Effect.sleep("1 second") })
      const callers = yield* start(crowd(100, ask(flow)))
      yield* Fiber.interrupt(callers)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* ask(flow), "token-1")
      assert.strictEqual(to.calls.length, 1)
    })
  )

  it.effect("are interrupted when the flow's scope closes, and say so to who waits", () =>
    Effect.gen(function* () {
      let aborted = false
      const scope = yield* Scope.make()
      const { flow } = yield* hourly({
        on: () =>
          Effect.onInterrupt(Effect.never, () =>
            Effect.sync(() => {
              aborted = true
            })
          )
      }).pipe(Scope.provide(scope))
      const caller = yield* start(Effect.flip(ask(flow)))
      yield* Scope.close(scope, Exit.void)
      const error = yield* Fiber.join(caller)
      assert.isTrue(aborted)
      assert.isTrue(error.reason._tag === "Misconfigured" && error.reason.setting === "flow")
    })
  )

  it.effect("say so as well when the scope closes in the moment that they are asked for", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { flow } = yield* hourly({ on: () => Effect.never }).pipe(Scope.provide(scope))
      const caller = yield* Effect.forkChild(Effect.flip(ask(flow)), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(caller)).reason._tag, "Misconfigured")
    })
  )

  it.effect("do not start once the scope is closed, but what is in hand is served", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { flow, to } = yield* hourly().pipe(Scope.provide(scope))
      yield* ask(flow)
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual(yield* ask(flow), "token-1")
      yield* TestClock.adjust("9.5 minutes")
      assert.strictEqual(yield* ask(flow), "token-1")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(ask(flow))).reason._tag, "Misconfigured")
      assert.strictEqual(to.calls.length, 1)
    })
  )

  it.effect("see the flow's surroundings, not the caller's", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const { flow } = yield* hourly({
        on: () => Effect.map(Clock.currentTimeMillis, (now) => void seen.push(now))
      })
      const wrong: Clock.Clock = { ...(yield* Clock.Clock), currentTimeMillis: Effect.succeed(99) }
      yield* ask(flow).pipe(Effect.provideService(Clock.Clock, wrong))
      assert.deepStrictEqual(seen, [0])
    })
  )
})

describe("clocks", () => {
  const hourlyOn = Effect.fnUntraced(function* (
    on: (jump: (milliseconds: number) => Effect.Effect<void>) => Effect.Effect<void>
  ) {
    const { clock, jump } = yield* jumping
    const { flow, to } = yield* hourly({
      on: (call) => (call === 1 ? on(jump) : Effect.void)
    }).pipe(Effect.provideService(Clock.Clock, clock))
    return { flow, to, jump }
  })

  it.effect("set back change nothing", () =>
    Effect.gen(function* () {
      const { flow, jump, to } = yield* hourlyOn(() => Effect.void)
      yield* ask(flow)
      yield* jump(-1000 * minute)
      assert.strictEqual(yield* ask(flow), "token-1")
      // It is the time that really passed that counts.
      yield* TestClock.adjust("61 minutes")
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(to.calls.length, 2)
    })
  )

  for (const back of [1000, 8000, 1000 * minute]) {
    it.effect(`set back by ${back} ms during the flight do not make it young`, () =>
      Effect.gen(function* () {
        const { flow } = yield* hourlyOn((jump) =>
          Effect.andThen(Effect.sleep("8 seconds"), jump(-back))
        )
        const caller = yield* start(ask(flow))
        yield* TestClock.adjust("8 seconds")
        yield* Fiber.join(caller)
        assert.strictEqual(flow.entries.get("")?.age, 8000)
      })
    )
  }

  it.effect("that jump ahead cost one refresh", () =>
    Effect.gen(function* () {
      const { flow, jump, to } = yield* hourlyOn(() => Effect.void)
      yield* ask(flow)
      yield* jump(600 * minute)
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(to.calls.length, 2)
    })
  )

  it.effect("that jump ahead during the flight cost one fetch more", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourlyOn((jump) => jump(600 * minute))
      assert.strictEqual(yield* ask(flow), "token-2")
      assert.strictEqual(to.calls.length, 2)
    })
  )
})

describe("the wait past the hard point", () => {
  it.effect("ends with nothing but the flight when the clock jumps past the end meanwhile", () =>
    Effect.gen(function* () {
      const { clock, jump } = yield* jumping
      const { flow } = yield* hourly({
        on: (call) => (call === 1 ? Effect.void : Effect.sleep("3 seconds"))
      }).pipe(Effect.provideService(Clock.Clock, clock))
      yield* ask(flow)
      yield* TestClock.adjust("59 minutes")
      const caller = yield* start(ask(flow))
      yield* jump(10 * minute)
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(caller.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(caller), "token-2")
    })
  )
})

describe("memory", () => {
  it.effect("holds 1,000 credentials, and lets go of the least recently used", () =>
    Effect.gen(function* () {
      const { flow, to } = yield* hourly()
      for (let n = 0; n < 1000; n++) yield* ask(flow, { scopes: [`s${n}`] })
      // Used, by the hot path as well.
      assert.isDefined(Flow.current(flow, { scopes: ["s0"] }))
      yield* ask(flow, { scopes: ["one more"] })
      assert.strictEqual(flow.entries.size, 1000)
      assert.isTrue(flow.entries.has("s0"))
      assert.isFalse(flow.entries.has("s1"))
      assert.strictEqual(to.calls.length, 1001)
    })
  )

  it.effect("never lets go of one in flight", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly({ on: () => Effect.sleep("1 second") })
      const callers = yield* start(
        Effect.forEach(
          Array.from({ length: 1001 }, (_, n) => n),
          (n) => ask(flow, { scopes: [`s${n}`] }),
          {
            concurrency: "unbounded"
          }
        )
      )
      assert.strictEqual(flow.entries.size, 1001)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(new Set(yield* Fiber.join(callers)).size, 1001)
    })
  )

  it.effect("tells what it holds", () =>
    Effect.gen(function* () {
      const { flow } = yield* hourly()
      yield* ask(flow, { scopes: ["a"] })
      yield* TestClock.adjust("10 minutes")
      yield* ask(flow, { scopes: ["a"] })
      const entry = flow.entries.get("a")!
      assert.deepStrictEqual(entry.request, { scopes: ["a"] })
      assert.strictEqual(entry.credential && text(entry.credential), "token-1")
      assert.strictEqual(entry.age, 10 * minute)
      assert.deepStrictEqual(entry.points, {
        soft: 45 * minute,
        hard: 59 * minute,
        life: 60 * minute
      })
      assert.deepStrictEqual([entry.hits, entry.succeeded, entry.failed], [1, 1, 0])
    }).pipe(steady(0))
  )
})

describe("Flow.cached", () => {
  it.effect("puts what keeps credentials elsewhere between memory and network", () =>
    Effect.gen(function* () {
      const to = party()
      const network = Flow.direct({ source: issuer().source, exchanger: to.exchanger })
      let stored: Effect.Success<ReturnType<typeof network.credential>> | undefined
      const persisted: typeof network = {
        ...network,
        credential: (request) =>
          stored === undefined
            ? Effect.tap(network.credential(request), (credential) =>
                Effect.sync(() => (stored = credential))
              )
            : Effect.succeed(stored)
      }
      yield* ask(yield* Flow.cached(persisted))
      yield* TestClock.adjust("10 minutes")
      // Another process, that finds it ten minutes old.
      const flow = yield* Flow.cached(persisted, RefreshPolicy.make({ jitter: 0 }))
      assert.strictEqual(yield* ask(flow), "token-1")
      assert.strictEqual(flow.entries.get("")?.age, 10 * minute)
      assert.strictEqual(to.calls.length, 1)
    })
  )
})
