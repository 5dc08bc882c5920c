/** Waiting for what is outside of Effect: promises, sockets and processes take no heed of a test clock. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

const round = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1)))

/** Lets the outside come a few rounds further, where nothing tells when it is done. */
export const settle = Effect.repeat(round, { times: 9 })

/** How many rounds of the event loop something outside is given: a second or two, where nothing comes of it. */
const patience = 1000

/** Lets the outside come as far as it takes until something holds. */
export const until = Effect.fnUntraced(function* (what: string, holds: () => boolean) {
  for (let rounds = 0; rounds < patience && !holds(); rounds++) yield* round
  assert.isTrue(holds(), what)
})

/**
 * Lets the clock go on while it waits, for what gives up only after a while. In small steps: what it waits for outside
 * takes its time, and a time limit of seconds must not be over before.
 */
export const hastened = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("10 millis")
    yield* round
  }
  return yield* Fiber.join(fiber)
})
