import { Lifetime } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"

const parse = (value: unknown) => Lifetime.parse("expires_in", value)

describe("Lifetime.parse", () => {
  it("takes seconds as a number or as digits", () => {
    assert.deepStrictEqual(parse(3599), Result.succeed(3_599_000))
    assert.deepStrictEqual(parse("3599"), Result.succeed(3_599_000))
    assert.deepStrictEqual(parse(0.5), Result.succeed(500))
    assert.deepStrictEqual(parse(30 * 86_400), Result.succeed(Lifetime.limit))
  })

  it("says what is wrong with anything else", () => {
    for (const [value, problem] of [
      [undefined, "expires_in is absent"],
      [null, "expires_in is absent"],
      [0, "expires_in is not positive"],
      ["0", "expires_in is not positive"],
      [-1, "expires_in is not positive"],
      [1e300, "expires_in is over 30 days"],
      [Infinity, "expires_in is over 30 days"],
      [30 * 86_400 + 1, "expires_in is over 30 days"],
      ["999999999999", "expires_in is over 30 days"],
      [Number.NaN, "expires_in is not a number of seconds"],
      ["3599abc", "expires_in is not a number of seconds"],
      ["-1", "expires_in is not a number of seconds"],
      ["1e300", "expires_in is not a number of seconds"],
      ["", "expires_in is not a number of seconds"],
      [true, "expires_in is not a number of seconds"],
      [{}, "expires_in is not a number of seconds"]
    ] as const) {
      assert.deepStrictEqual(parse(value), Result.fail(problem), String(value))
    }
  })

  it.prop("is positive and at most 30 days", [Schema.Unknown, Schema.Number], ([value, number]) => {
    for (const candidate of [value, number]) {
      const result = parse(candidate)
      assert.isTrue(
        Result.isFailure(result) || (result.success > 0 && result.success <= Lifetime.limit)
      )
    }
  })
})
