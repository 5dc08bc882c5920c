/** Small ways to run a flow under a test clock. */
import type { AccessToken, Flow, TokenRequest } from "@federate/core"
import { Clock, Effect, Logger, Random, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { text } from "./fakes.ts"

/** Random that always gives the same, so that soft points and pauses are exact. */
export const steady =
  (value: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, Random.Random, {
      nextDoubleUnsafe: () => value,
      nextIntUnsafe: () => 0
    })

export const ask = (flow: Flow.Flow<AccessToken>, request?: TokenRequest.TokenRequest) =>
  Effect.map(flow.credential(request), text)

/** Starts it and lets it come as far as it can without time passing. */
export const start = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.tap(Effect.forkChild(effect), () => settle)

/** Lets every fiber come as far as it can without time passing. */
export const settle = TestClock.adjust(0)

/** Many callers at once. */
export const crowd = <A, E>(size: number, effect: Effect.Effect<A, E>) =>
  Effect.all(
    Array.from({ length: size }, () => effect),
    { concurrency: "unbounded" }
  )

/** Collects what is logged. */
export const logged = () => {
  const lines: Array<string> = []
  const layer = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
  return { lines, layer }
}

/**
 * A wall clock that may jump, over the test clock's timers and monotonic time, which do not: as on a real machine.
 */
export const jumping = Effect.gen(function* () {
  const real = yield* Clock.Clock
  let offset = 0
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe() + offset,
    currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe()),
    currentTimeNanosUnsafe: () => real.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe()),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
  return { clock, jump: (milliseconds: number) => Effect.sync(() => void (offset += milliseconds)) }
})

/** The spans that a program run `within` makes, in the order in which they began. */
export const traced = () => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, within: Effect.withTracer(tracer) }
}
