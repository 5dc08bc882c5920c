/** What holds whatever the lifetimes, the advice, the faults and the times at which callers come. */
import { Flow } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { down, issuer, party, refused } from "./fakes.ts"
import { jumping, logged } from "./running.ts"

const between = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What the relying party does when it is asked. */
const Upstream = Schema.Union([
  Schema.Struct({ is: Schema.Literals(["well", "down", "refusing", "hanging"]) }),
  Schema.Struct({ is: Schema.Literal("busy"), retryAfter: between(0, 7200) }),
  Schema.Struct({ is: Schema.Literal("slow"), seconds: between(1, 12) })
])

/** Time passes in parts of the usual life, in percent, so that every part of it is visited. */
const Step = Schema.Struct({
  advance: between(0, 35),
  callers: between(1, 5),
  upstream: Upstream,
  /** The wall clock jumps, in percent of the usual life: seldom, and either way. */
  jump: Schema.Union([Schema.Literals([0, 0, 0, 0]), between(-200, 200)])
})

const World = Schema.Struct({
  life: between(5, 7200),
  /** How long the tokens live, one after another, in percent of the usual life. */
  lives: Schema.Array(Schema.Literals([100, 100, 25])).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(4)
  ),
  refreshIn: Schema.UndefinedOr(between(0, 7200)),
  steps: Schema.Array(Step).check(Schema.isMinLength(1), Schema.isMaxLength(25))
})

describe("any flow", () => {
  it.effect.prop(
    "serves nothing expired, hides every fault while something is valid, and never comes back before it was told to",
    [World],
    ([world]) =>
      Effect.gen(function* () {
        const { clock, jump } = yield* jumping
        let upstream: typeof Upstream.Type = { is: "well" }
        let jumped = 0
        const now = () => ({
          wall: clock.currentTimeMillisUnsafe(),
          monotonic: Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
          jumped
        })
        type Moment = ReturnType<typeof now>
        /** What has passed by the clock that went further. */
        const since = (then: Moment) =>
          Math.max(now().wall - then.wall, now().monotonic - then.monotonic)
        /** What may seem to have passed to who does not know which of the jumps were put right since. */
        const atMostSince = (then: Moment) =>
          now().monotonic - then.monotonic + (jumped - then.jumped)
        const sent = new Map<string, Moment>()
        const isValid = ({ expiresAt, obtainedAt, token }: AccessToken, passed = since) =>
          passed(sent.get(Redacted.value(token))!) < expiresAt - obtainedAt
        const served = new Set<AccessToken>()
        let told = { at: now(), wait: 0 }
        const lifeOf = (call: number) => world.life * 10 * world.lives[call % world.lives.length]!
        const { exchanger } = party({
          life: lifeOf,
          ...(world.refreshIn !== undefined && { refreshIn: world.refreshIn * 1000 }),
          on: (call) =>
            Effect.gen(function* () {
              assert.isAtLeast(since(told.at), told.wait, "came back before Retry-After")
              told.wait = 0
              sent.set(`token-${call}`, now())
              switch (upstream.is) {
                case "well":
                  return
                case "slow":
                  return yield* Effect.sleep(upstream.seconds * 1000)
                case "hanging":
                  return yield* Effect.never
                case "down":
                  return yield* down()
                case "refusing":
                  return yield* refused()
                case "busy": {
                  const wait = upstream.retryAfter * 1000
                  // An hour is the most that is heeded.
                  told = { at: now(), wait: Math.min(wait, 3_600_000) }
                  return yield* down(told.at.wall + wait)
                }
              }
            })
        })
        const flow = yield* Flow.make({ source: issuer().source, exchanger }).pipe(
          Effect.provideService(Clock.Clock, clock)
        )

        const caller = Effect.gen(function* () {
          const result = yield* Effect.exit(flow.credential())
          if (Exit.isSuccess(result)) {
            served.add(result.value)
            assert.isTrue(isValid(result.value), "served expired")
          } else {
            assert.isFalse(Exit.hasDies(result), String(result))
            assert.isFalse(
              [...served].some((each) => isValid(each, atMostSince)),
              "an error while a valid token exists"
            )
          }
        })

        const callers: Array<Fiber.Fiber<void>> = []
        for (const step of world.steps) {
          upstream = step.upstream
          for (let n = 0; n < step.callers; n++) callers.push(yield* Effect.forkChild(caller))
          yield* jump(world.life * 10 * step.jump)
          jumped += Math.max(0, world.life * 10 * step.jump)
          yield* TestClock.adjust(world.life * 10 * step.advance)
        }
        yield* TestClock.adjust("1 minute")
        yield* Effect.forEach(callers, Fiber.join)
      }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logged().layer])),
    { arbitrary: { runs: 300 } }
  )
})
