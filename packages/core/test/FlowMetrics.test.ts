import { Flow, FlowMetrics } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { TestClock } from "effect/testing"
import { down, issuer, party } from "./fakes.ts"
import { ask, crowd, logged, settle, start, steady } from "./running.ts"

const count = (metric: Metric.Counter<number>, attributes: Record<string, string>) =>
  Effect.map(Metric.value(Metric.withAttributes(metric, attributes)), (state) => state.count)

describe("FlowMetrics", () => {
  it.effect(
    "counts hits, flights by outcome, retries by reason, and tells the seconds to expiry",
    () =>
      Effect.gen(function* () {
        const to = party({
          on: (call) => (call === 1 || call === 3 ? Effect.fail(down()) : Effect.void)
        })
        const flow = yield* Flow.make({
          name: "measured",
          source: issuer().source,
          exchanger: to.exchanger
        })
        const first = yield* start(ask(flow))
        yield* TestClock.adjust("1 second")
        yield* crowd(10, ask(flow))
        yield* FlowMetrics.observe(flow)
        yield* crowd(5, ask(flow))
        yield* TestClock.adjust("45 minutes")
        yield* ask(flow)
        yield* settle
        yield* FlowMetrics.observe(flow)
        yield* FlowMetrics.observe(flow)
        assert.isDefined(first.pollUnsafe())

        assert.strictEqual(yield* count(FlowMetrics.hits, { flow: "measured" }), 15)
        const flights = (mode: string, outcome: string) =>
          count(FlowMetrics.flights, { flow: "measured", mode, outcome })
        assert.strictEqual(yield* flights("blocking", "success"), 1)
        assert.strictEqual(yield* flights("background", "Transient"), 1)
        assert.strictEqual(
          yield* count(FlowMetrics.retries, { flow: "measured", reason: "Transient" }),
          1
        )
        const gauge = Metric.withAttributes(FlowMetrics.secondsToExpiry, {
          flow: "measured",
          key: ""
        })
        assert.strictEqual((yield* Metric.value(gauge)).value, 3600 - 2700 - 1)
      }).pipe(steady(0), Effect.provide(logged().layer))
  )

  it.effect("tells the seconds to expiry of what the flow remembers, and of nothing else", () =>
    Effect.gen(function* () {
      const flow = yield* Flow.make({
        name: "crowded",
        source: issuer().source,
        exchanger: party().exchanger
      })
      for (let round = 0; round < 3; round++) {
        for (let at = 0; at < 600; at++) yield* ask(flow, { scopes: [`${round}-${at}`] })
        yield* FlowMetrics.observe(flow)
      }
      const series = (yield* Metric.snapshot).filter(
        ({ attributes, id }) =>
          id === "federate_seconds_to_expiry" && attributes?.["flow"] === "crowded"
      )
      assert.deepEqual(
        new Set(series.map(({ attributes }) => attributes?.["key"])),
        new Set(flow.entries.keys())
      )
    })
  )
})
