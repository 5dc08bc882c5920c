/** A promise that can be checked, as a value; a test file registers them as tests. */
import { describe, it } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Check {
  /** A sentence that is so. */
  readonly name: string
  /** Dies where it is not so. It is run under a test clock that stands at the epoch. */
  readonly holds: Effect.Effect<void, unknown, Scope.Scope>
}

/**
 * Registers checks as tests (vitest).
 *
 * @param kind what it is that makes these promises
 */
export const register = (name: string, kind: string, checks: ReadonlyArray<Check>): void => {
  describe(`${name} keeps the contract of ${kind}`, () => {
    for (const check of checks) it.effect(check.name, () => check.holds)
  })
}
