import { RetryAfter } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const now = Date.UTC(1994, 10, 6, 8, 49, 37)

describe("RetryAfter.parse", () => {
  it("takes digits as seconds", () => {
    assert.strictEqual(RetryAfter.parse("0", now), 0)
    assert.strictEqual(RetryAfter.parse(" 120 ", now), 120_000)
    assert.strictEqual(RetryAfter.parse("3600", now), 3_600_000)
  })

  it("takes all three forms of an HTTP date, held against the server's clock", () => {
    for (const date of [
      "Sun, 06 Nov 1994 08:49:47 GMT",
      "Sunday, 06-Nov-94 08:49:47 GMT",
      "Sun Nov  6 08:49:47 1994"
    ]) {
      assert.strictEqual(RetryAfter.parse(date, now), 10_000, date)
    }
  })

  it("asks for no pause when the date is past, and for an hour at most", () => {
    assert.strictEqual(RetryAfter.parse("Sun, 06 Nov 1994 08:00:00 GMT", now), 0)
    assert.strictEqual(RetryAfter.parse("Mon, 07 Nov 1994 08:00:00 GMT", now), RetryAfter.limit)
    assert.strictEqual(RetryAfter.parse("9".repeat(400), now), RetryAfter.limit)
  })

  it("takes anything else as absent", () => {
    for (const value of [
      null,
      undefined,
      "",
      "-1",
      "1.5",
      "1e3",
      "120s",
      "soon",
      "2026-11-23T00:00:00Z",
      "6 Nov 1994"
    ]) {
      assert.isUndefined(RetryAfter.parse(value, now), String(value))
    }
  })

  it.prop("is from 0 to an hour, or absent", [Schema.String, Schema.Int], ([value, seconds]) => {
    for (const text of [value, String(seconds)]) {
      const delay = RetryAfter.parse(text, now)
      assert.isTrue(delay === undefined || (delay >= 0 && delay <= RetryAfter.limit))
    }
  })
})
