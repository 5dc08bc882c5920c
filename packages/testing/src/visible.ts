/** All that can be seen of a value or of a program: what a log, a span or a console would show. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"

/** Everything that a value shows of itself, as text. */
export const visible = (value: unknown): string =>
  [String(value), JSON.stringify(value), inspect(value, { depth: null, showHidden: true })].join(
    "\n"
  )

/** Collects what programs run `within` it log, trace and count. */
export const watch = () => {
  const seen: Array<string> = []
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const logger = Logger.make((entry) => {
    seen.push(visible(entry.message), Cause.pretty(entry.cause), inspect(entry, { depth: null }))
  })
  return {
    within: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.tapCause((cause) => Effect.logError("failed", cause)),
        Effect.withSpan("watched"),
        Effect.withTracer(tracer),
        Effect.provide(Logger.layer([logger])),
        Effect.ensuring(Effect.map(Metric.dump, (metrics) => void seen.push(metrics))),
        // Its own: the process's knows what others have counted.
        Effect.provideService(Metric.MetricRegistry, new Map()),
        Effect.provideService(References.MinimumLogLevel, "All")
      ),
    seen: (): string => [...seen, inspect(spans, { depth: null, showHidden: true })].join("\n")
  }
}
