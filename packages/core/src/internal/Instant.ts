/** A moment on both clocks. Time passed since is what the two agree on at least. */
import type * as Clock from "effect/Clock"

export interface Instant {
  /** Epoch milliseconds. */
  readonly wall: number
  /** Milliseconds from an arbitrary origin; stands still while the machine is suspended. */
  readonly monotonic: number
}

/** Milliseconds on the monotonic clock. */
export const monotonic = (clock: Clock.Clock): number =>
  Number(clock.monotonicTimeNanosUnsafe()) / 1e6

export const now = (clock: Clock.Clock): Instant => ({
  wall: clock.currentTimeMillisUnsafe(),
  monotonic: monotonic(clock)
})

/**
 * Milliseconds since, the larger of monotonic and wall time: a clock set back changes nothing, and a process that was
 * suspended knows that it slept.
 */
export const elapsed = (clock: Clock.Clock, since: Instant): number =>
  Math.max(clock.currentTimeMillisUnsafe() - since.wall, monotonic(clock) - since.monotonic)

/**
 * The instant at which something was obtained that only says so by the wall clock, when it was asked for at `asked`.
 * Should the wall clock have been set back in between, the monotonic clock bounds the error.
 */
export const obtained = (clock: Clock.Clock, asked: Instant, obtainedAt: number): Instant => {
  const at = now(clock)
  const waited = at.monotonic - asked.monotonic
  const setBack = Math.max(0, waited - (at.wall - asked.wall))
  const wallAge = at.wall - obtainedAt
  const age = Math.max(0, wallAge, Math.min(wallAge + setBack, waited))
  return { wall: at.wall - age, monotonic: at.monotonic - age }
}
