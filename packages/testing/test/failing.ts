/** Which checks of a contract do not hold. */
import { Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import type { Check } from "../src/checks.ts"

/** Runs each check as it would be run as a test, and gives the names of those that fail. */
export const failing = Effect.fnUntraced(function* (checks: ReadonlyArray<Check>) {
  const names: Array<string> = []
  for (const { holds, name } of checks) {
    const exit = yield* holds.pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.exit)
    if (Exit.isFailure(exit)) names.push(name)
  }
  return names
})
