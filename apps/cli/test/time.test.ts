import { assert, describe, it } from "vitest"
import { printDistance, printSpan, printTime } from "../src/time.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

describe("a time", () => {
  it("is a date in UTC, to the second", () => {
    assert.strictEqual(printTime(0), "1970-01-01 00:00:00 UTC")
    assert.strictEqual(printTime(Date.UTC(2026, 10, 23, 5, 12, 0, 999)), "2026-11-23 05:12:00 UTC")
    assert.strictEqual(printTime(Date.UTC(12_345, 0, 1)), "+012345-01-01 00:00:00 UTC")
  })

  it("is nothing when there is no such time", () => {
    assert.isUndefined(printTime(Number.NaN))
    assert.isUndefined(printTime(1e18))
  })
})

describe("a span", () => {
  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [1000, "1 s"],
    [minute - 1, "59 s"],
    [12 * minute + 59_999, "12 min"],
    [hour, "1 h"],
    [2 * hour - 1, "1 h 59 min"],
    [day - 1, "23 h 59 min"],
    [day, "1 day"],
    [3 * day - 1, "2 days"]
  ])("of %i ms is %s", (milliseconds, text) => {
    assert.strictEqual(printSpan(milliseconds), text)
  })
})

describe("a distance", () => {
  it("is ahead, behind, or now", () => {
    assert.strictEqual(printDistance(12 * minute, 0), "in 12 min")
    assert.strictEqual(printDistance(0, 3 * hour), "3 h ago")
    assert.strictEqual(printDistance(500, 0), "now")
    assert.strictEqual(printDistance(0, 999), "now")
  })
})
