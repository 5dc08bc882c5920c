/** Waiting for what is outside of Effect: promises, sockets and processes take no heed of a test clock. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"

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
