import { visible, watch } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Metric, Redacted } from "effect"

describe("visible", () => {
  it("is what text, JSON and inspection show", () => {
    class Holder {
      readonly plain = "SHOWN"
      readonly hidden = Redacted.make("HIDDEN")
      toString() {
        return "TEXT"
      }
    }
    const shown = visible(new Holder())
    for (const part of ["TEXT", "SHOWN", "<redacted>"]) assert.include(shown, part)
    assert.notInclude(shown, "HIDDEN")
  })
})

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

describe("watch", () => {
  it.effect("sees logs, failures, spans and metrics", () =>
    Effect.gen(function* () {
      const { seen, within } = watch()
      yield* Effect.exit(
        within(
          Effect.gen(function* () {
            yield* Effect.logInfo("LOGGED", { detail: "DETAIL" })
            yield* Effect.logTrace("TRACED")
            yield* Metric.update(Metric.counter("COUNTED"), 1)
            yield* Effect.annotateCurrentSpan("key", "ANNOTATED")
            return yield* new Failed({ message: "FAILED" })
          })
        )
      )
      for (const part of ["LOGGED", "DETAIL", "TRACED", "COUNTED", "ANNOTATED", "FAILED"])
        assert.include(seen(), part)
    })
  )
})
