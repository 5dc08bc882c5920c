/** `federate trust` of one flow, for the tests of each side. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { federate } from "./command.ts"

/**
 * @param flow the flow's name, as it is by then
 * @param more what stands on every command line besides
 */
export const trustOf = (flow: () => string, more: ReadonlyArray<string> = []) => {
  const trusting = (command: string, ...args: ReadonlyArray<string>) =>
    federate(["trust", command, flow(), ...more, ...args])

  /** One that must end with 0. */
  const well = Effect.fnUntraced(function* (command: string, ...args: ReadonlyArray<string>) {
    const { code, stderr, stdout } = yield* trusting(command, ...args)
    assert.strictEqual(code, 0, stderr + stdout)
    return { stderr, stdout }
  })

  /** What is planned, as `create role`. */
  const actions = Effect.fnUntraced(function* () {
    const { stdout } = yield* well("plan", "--json")
    return JSON.parse(stdout).changes.map(
      ({ action, kind }: { readonly action: string; readonly kind: string }) => `${action} ${kind}`
    )
  })

  return { trusting, well, actions, ends: Effect.suspend(() => well("destroy", "--yes")) }
}
