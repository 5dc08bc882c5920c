/** `/metrics`, as Prometheus reads them. */
import { FlowMetrics } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { answer, problem } from "./Answer.ts"
import type { Route } from "./Route.ts"
import type { ServedFlow } from "./ServedFlow.ts"

/** Answers of the broker. Attributes: `protocol`, `status`. */
const requests = Metric.counter("federate_broker_requests", {
  description: "Answers of the broker",
  incremental: true
})

/** Answers by protocol and status: plain counts, so that an answer costs nothing more. */
export type Counts = Map<string, Map<number, number>>

/** Writes what was counted into the metrics: to be run just before they are scraped or exported. */
export const observe = (flows: ReadonlyArray<ServedFlow>, counts: Counts): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* Effect.forEach(flows, ({ flow }) => FlowMetrics.observe(flow), { discard: true })
    for (const [protocol, statuses] of counts) {
      for (const [status, count] of statuses) {
        const attributes = { protocol, status: String(status) }
        yield* Metric.update(Metric.withAttributes(requests, attributes), count)
        statuses.set(status, 0)
      }
    }
  })

export const route = (observed: Effect.Effect<void>): Route => ({
  protocol: "metrics",
  method: "GET",
  pages: true,
  refuse: problem,
  handle: () =>
    Effect.gen(function* () {
      yield* observed
      // Loaded when first asked for: it brings an HTTP router along.
      const { format } = yield* Effect.promise(
        () => import("effect/observability/PrometheusMetrics")
      )
      return answer(200, "text/plain; version=0.0.4; charset=utf-8", yield* format())
    })
})
