import { DurationFromText, parseDuration } from "@federate/schema"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Result, Schema } from "effect"

const millis = (text: string) =>
  Result.getOrUndefined(Result.map(parseDuration(text), Duration.toMillis))

describe("parseDuration", () => {
  it("reads numbers with units, and adds them up", () => {
    for (const [text, expected] of [
      ["250ms", 250],
      ["250 millis", 250],
      ["1 millisecond", 1],
      ["90s", 90_000],
      ["90 sec", 90_000],
      ["1 second", 1000],
      ["2 minutes", 120_000],
      ["2m", 120_000],
      ["5 Min", 300_000],
      ["1.5h", 5_400_000],
      ["1h 30m", 5_400_000],
      ["1h30m", 5_400_000],
      ["2 days", 172_800_000],
      ["0s", 0],
      [" 3 hours ", 10_800_000]
    ] as const) {
      assert.strictEqual(millis(text), expected, text)
    }
  })

  it("refuses whatever has no unit, or is none", () => {
    for (const text of [
      "",
      "120",
      "-5s",
      "5 parsecs",
      "s",
      "1h and 2m",
      "1e3s",
      "1,5h",
      "Infinity",
      "5 s s"
    ]) {
      assert.isUndefined(millis(text), text)
    }
  })

  it.prop("gives back what it was told in milliseconds", [Schema.Int], ([n]) => {
    assert.strictEqual(millis(`${Math.abs(n)}ms`), Math.abs(n))
  })
})

describe("DurationFromText", () => {
  const schema = DurationFromText("How long")

  it.effect("decodes, encodes, and says what it wants", () =>
    Effect.gen(function* () {
      const duration = yield* Schema.decodeUnknownEffect(schema)("2 minutes")
      assert.strictEqual(Duration.toSeconds(duration), 120)
      const text = yield* Schema.encodeEffect(schema)(duration)
      assert.strictEqual(text, "120000 ms")
      for (const wrong of ["120", 120, null]) {
        const error = yield* Effect.flip(Schema.decodeUnknownEffect(schema)(wrong))
        assert.include(error.message, "a duration with its unit, such as 90s, 2 minutes, 1h 30m")
      }
    })
  )
})
