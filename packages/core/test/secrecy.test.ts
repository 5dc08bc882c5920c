/** No token, assertion or key in any log line, span, error, `Cause.pretty`, JSON or `inspect`, whatever happens. */
import { Flow, TokenExchanger, FlowMetrics } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Logger, Metric, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { down, issuer, party, refused } from "./fakes.ts"
import { start, traced } from "./running.ts"

describe("a flow", () => {
  it.effect.prop(
    "shows no secret anywhere",
    [
      Schema.Array(Schema.Literals(["well", "down", "refused", "stale"])).check(
        Schema.isMinLength(1)
      )
    ],
    ([outcomes]) =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const secrets = new Set<string>()
        const { source } = issuer()
        const { exchanger } = party({
          on: (call, assertion) => {
            secrets.add(Redacted.value(assertion.token))
            secrets.add(`token-${call}`)
            const outcome = outcomes[call % outcomes.length]!
            if (outcome === "well") return Effect.void
            return Effect.fail(
              outcome === "down" ? down() : refused(outcome === "stale" ? "freshAssertion" : "none")
            )
          }
        })
        const { spans, within } = traced()
        const log = Logger.make((entry) => {
          seen.push(
            entry.message,
            Cause.pretty(entry.cause),
            inspect(entry, { depth: null, showHidden: true })
          )
        })
        yield* Effect.gen(function* () {
          const flow = yield* Flow.make({ source, exchanger })
          const chained = yield* Flow.make({ source, exchanger: TokenExchanger.passThrough })
          for (const each of [flow, chained]) {
            for (let n = 0; n < 6; n++) {
              const fiber = yield* start(Effect.exit(each.credential()))
              yield* TestClock.adjust("14 minutes")
              const exit = fiber.pollUnsafe()!
              seen.push(exit)
              if (Exit.isSuccess(exit) && Exit.isFailure(exit.value)) {
                yield* Effect.logError("failed", exit.value.cause)
                seen.push(Cause.pretty(exit.value.cause), String(Cause.squash(exit.value.cause)))
              }
            }
            yield* FlowMetrics.observe(each)
            seen.push(each, [...each.entries.values()])
          }
          seen.push(yield* Metric.dump)
        }).pipe(within, Effect.provide(Logger.layer([log])))
        seen.push(spans)

        assert.isAbove(secrets.size, 0)
        assert.isAbove(spans.length, 0)
        const shown = [
          JSON.stringify(seen, safe()),
          inspect(seen, { depth: null, showHidden: true })
        ].join("\n")
        for (const secret of secrets) assert.notInclude(shown, secret)
      }).pipe(Effect.scoped, Effect.provide(TestClock.layer())),
    { arbitrary: { runs: 20 } }
  )
})

/** JSON of what has cycles, bigints and maps. */
const safe = () => {
  const seen = new Set<unknown>()
  return (_key: string, value: unknown): unknown => {
    if (typeof value === "bigint") return String(value)
    if (value instanceof Map) return [...value]
    if (typeof value !== "object" || value === null) return value
    if (seen.has(value)) return "…"
    seen.add(value)
    return value
  }
}
