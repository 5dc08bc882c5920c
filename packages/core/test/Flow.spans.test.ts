import { Flow } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Tracer } from "effect"
import { TestClock } from "effect/testing"
import { down, issuer, party } from "./fakes.ts"
import { ask, crowd, settle, start, steady, traced } from "./running.ts"

const told = (spans: ReadonlyArray<Tracer.Span>) =>
  spans.map((span): Record<string, unknown> => ({
    name: span.name,
    ...Object.fromEntries(span.attributes)
  }))

describe("spans", () => {
  it.effect(
    "are of flights, refreshes and attempts, with public attributes only; a hit makes none",
    () => {
      const { spans, within } = traced()
      return Effect.gen(function* () {
        const to = party({ on: (call) => (call === 1 ? Effect.fail(down()) : Effect.void) })
        const flow = yield* Flow.make({
          name: "graph",
          source: issuer().source,
          exchanger: to.exchanger
        })
        const first = yield* start(ask(flow))
        yield* TestClock.adjust("1 second")
        assert.isDefined(first.pollUnsafe())
        yield* crowd(10, ask(flow))
        yield* TestClock.adjust("45 minutes")
        yield* ask(flow)
        yield* settle
        const name = { "federate.flow": "graph" }
        assert.deepStrictEqual(told(spans), [
          { name: "federate.flight", ...name },
          { name: "federate.attempt", ...name, "federate.attempt": 1 },
          { name: "federate.attempt", ...name, "federate.attempt": 2 },
          { name: "federate.refresh", ...name },
          { name: "federate.attempt", ...name, "federate.attempt": 1 }
        ])
        const [flight, attempt] = spans
        assert.strictEqual(
          attempt!.parent._tag === "Some" && attempt!.parent.value.spanId,
          flight!.spanId
        )
      }).pipe(steady(0), within)
    }
  )

  it.effect("belong to the flow's surroundings, not to the caller who came first", () => {
    const { spans, within } = traced()
    return Effect.gen(function* () {
      const flow = yield* Flow.make({ source: issuer().source, exchanger: party().exchanger })
      yield* ask(flow).pipe(Effect.withSpan("a caller's request"))
      const flight = spans.find(({ name }) => name === "federate.flight")
      assert.strictEqual(flight?.parent._tag, "None")
    }).pipe(within)
  })
})
