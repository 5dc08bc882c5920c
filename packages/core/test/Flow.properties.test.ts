/** What holds whatever the lifetimes, the advice, the faults and the times at which callers come. */
import { Flow } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { down, issuer, party, refused } from "./fakes.ts"
import { logged } from "./running.ts"

const between = (minimum: number, maximum: number) =>
  Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What the relying party does when it is asked. */
const Upstream = Schema.Union([
  Schema.Struct({ is: Schema.Literals(["well", "down", "refusing", "hanging"]) }),
  Schema.Struct({ is: Schema.Literal("busy"), retryAfter: between(0, 7200) }),
  Schema.Struct({ is: Schema.Literal("slow"), seconds: between(1, 12) })
])

/** Time passes in parts of the usual life, in percent, so that every part of it is visited. */
const Step = Schema.Struct({ advance: between(0, 35), callers: between(1, 5), upstream: Upstream })

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
        let upstream: typeof Upstream.Type = { is: "well" }
        const ends = new Map<string, number>()
        let notBefore = 0
        const { exchanger } = party({
          life: (call) => world.life * 10 * world.lives[call % world.lives.length]!,
          ...(world.refreshIn !== undefined && { refreshIn: world.refreshIn * 1000 }),
          on: () =>
            Effect.gen(function* () {
              const now = yield* Clock.currentTimeMillis
              assert.isAtLeast(now, notBefore, "came back before Retry-After")
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
                  const retryAt = now + upstream.retryAfter * 1000
                  // An hour is the most that is heeded.
                  notBefore = Math.min(retryAt, now + 3_600_000)
                  return yield* down(retryAt)
                }
              }
            })
        })
        const flow = yield* Flow.make({ source: issuer().source, exchanger })
        const validAt = (time: number) => [...ends.values()].some((end) => end > time)

        const caller = Effect.gen(function* () {
          const result = yield* Effect.exit(flow.credential())
          const now = yield* Clock.currentTimeMillis
          if (Exit.isSuccess(result)) {
            const credential = result.value
            ends.set(Redacted.value(credential.token), credential.expiresAt)
            assert.isAbove(credential.expiresAt, now, "served expired")
          } else {
            assert.isFalse(Exit.hasDies(result), String(result))
            assert.isFalse(validAt(now), "an error while a valid token exists")
          }
        })

        const callers: Array<Fiber.Fiber<void>> = []
        for (const step of world.steps) {
          upstream = step.upstream
          for (let n = 0; n < step.callers; n++) callers.push(yield* Effect.forkChild(caller))
          yield* TestClock.adjust(world.life * 10 * step.advance)
        }
        yield* TestClock.adjust("1 minute")
        yield* Effect.forEach(callers, Fiber.join)
      }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logged().layer])),
    { arbitrary: { runs: 300 } }
  )
})
