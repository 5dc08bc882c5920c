/** Tries again what may pass by itself: a side that is busy, or has not seen yet what it was told. */
import type { FederationError } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** How long a side may take to see what was written, and how long to be read at all, in milliseconds. */
export const patience = { writing: 120_000, reading: 20_000 }

/** Pauses between tries, in milliseconds: doubling, at most this long. */
const pauses = { first: 500, longest: 10_000 }

/** By itself, or as time goes by. */
export const mayPass = ({ reason }: FederationError): boolean =>
  reason._tag === "Transient" || (reason._tag === "Rejected" && reason.remedy === "waitForTrust")

export interface Patience<R> {
  /** In milliseconds, from the first try. */
  readonly limit: number
  /** Default: {@link mayPass}. */
  readonly while?: ((error: FederationError) => boolean) | undefined
  /** Told once, before the first pause. */
  readonly waiting?: ((error: FederationError) => Effect.Effect<void, never, R>) | undefined
}

/** Never earlier than the other side said; at its limit it fails as the last try did. */
export const patiently = Effect.fnUntraced(function* <A, R1, R2 = never>(
  effect: Effect.Effect<A, FederationError, R1>,
  { limit, waiting, while: goesOn = mayPass }: Patience<R2>
): Effect.fn.Return<A, FederationError, R1 | R2> {
  const started = yield* Clock.currentTimeMillis
  for (let pause = pauses.first; ; pause = Math.min(2 * pause, pauses.longest)) {
    const result = yield* Effect.result(effect)
    if (result._tag === "Success") return result.success
    const error = result.failure
    const now = yield* Clock.currentTimeMillis
    const retryAt = error.reason._tag === "Transient" ? error.reason.retryAt : undefined
    const wait = Math.max(pause, (retryAt ?? now) - now)
    if (!goesOn(error) || now + wait - started > limit) return yield* error
    if (pause === pauses.first && waiting !== undefined) yield* waiting(error)
    yield* Effect.sleep(wait)
  }
})
