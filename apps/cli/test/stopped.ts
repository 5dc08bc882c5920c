/** A command that is stopped in the middle of what it writes. */
import { vi } from "@effect/vitest"
import { Deferred, Effect } from "effect"

interface Stop {
  /** Which write; the first is 1. */
  readonly at: number
  /** Whether the write leaves, and only its answer is lost. */
  readonly leaves: boolean
  readonly isWrite: (url: string, init: RequestInit) => boolean
}

/** Runs a command until that write, and stops it there. Whether it came so far. */
export const stopped = Effect.fnUntraced(function* <A, E, R>(
  command: Effect.Effect<A, E, R>,
  { at, isWrite, leaves }: Stop
) {
  const stop = yield* Deferred.make<boolean>()
  let writes = 0
  const real = globalThis.fetch
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    if (!isWrite(url, init) || ++writes !== at) return real(url, init)
    if (leaves) await real(url, init)
    Deferred.doneUnsafe(stop, Effect.succeed(true))
    return new Promise<Response>(() => {})
  })
  return yield* Effect.raceFirst(Effect.as(command, false), Deferred.await(stop)).pipe(
    Effect.ensuring(Effect.sync(() => vi.stubGlobal("fetch", real)))
  )
})
