/** What outlives a change of the config file: what stays the same is kept, what is new is made, what is gone is closed. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"

/** Something by its name, with its own scope. */
export interface Held<A> {
  readonly value: A
  readonly scope: Scope.Closeable
}

export type Holdings<A> = ReadonlyMap<string, Held<A>>

/** Something as the file has it now. */
export interface Wanted<A, E> {
  readonly isSame: (held: A) => boolean
  readonly make: Effect.Effect<A, E, Scope.Scope>
}

/** All that is wanted, or every reason why not, and nothing new is left then. What is no longer wanted is not closed yet. */
export const renew = Effect.fnUntraced(function* <A, E>(
  before: Holdings<A>,
  wanted: Iterable<readonly [name: string, wanted: Wanted<A, E>]>,
  parent: Scope.Scope
): Effect.fn.Return<Holdings<A>, ReadonlyArray<readonly [name: string, error: E]>> {
  const after = new Map<string, Held<A>>()
  const errors: Array<readonly [string, E]> = []
  for (const [name, { isSame, make }] of wanted) {
    const held = before.get(name)
    if (held !== undefined && isSame(held.value)) {
      after.set(name, held)
      continue
    }
    const scope = yield* Scope.fork(parent)
    const made = yield* Effect.result(Scope.provide(make, scope))
    if (Result.isSuccess(made)) after.set(name, { value: made.success, scope })
    else {
      yield* Scope.close(scope, Exit.void)
      errors.push([name, made.failure])
    }
  }
  if (errors.length > 0) {
    yield* retire(after, before)
    return yield* Effect.fail(errors)
  }
  return after
})

/** Closes what is not held any more. */
export const retire = <A>(before: Holdings<A>, after: Holdings<A>): Effect.Effect<void> =>
  Effect.forEach(
    [...before].filter(([name, held]) => after.get(name) !== held),
    ([, { scope }]) => Scope.close(scope, Exit.void),
    { concurrency: "unbounded", discard: true }
  )

/** What came, went and stayed, by name; what was made anew is changed. */
export const difference = <A>(before: Holdings<A>, after: Holdings<A>) => {
  const names = [...after.keys()]
  return {
    added: names.filter((name) => !before.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    kept: names.filter((name) => before.has(name) && before.get(name) === after.get(name))
  }
}
