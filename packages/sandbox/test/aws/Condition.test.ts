import * as Policy from "../../src/aws/Policy.ts"
import { context } from "../../src/aws/Condition.ts"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"

/** Whether a statement with this condition lets a request through that says so much. */
const holds = (
  Condition: Readonly<Record<string, unknown>>,
  said: Readonly<Record<string, ReadonlyArray<string>>> = {}
): boolean =>
  Policy.evaluate(
    Result.getOrThrow(
      Policy.parse(
        JSON.stringify({ Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition } })
      )
    ),
    "s3:GetObject",
    "*",
    context(said)
  ) === "allowed"

const one = (operator: string, expected: unknown, actual?: ReadonlyArray<string>) =>
  holds({ [operator]: { "a:key": expected } }, actual && { "a:key": actual })

describe("a condition", () => {
  it.each<readonly [operator: string, expected: unknown, fits: string, doesNot: string]>([
    ["StringEquals", "x", "x", "X"],
    ["StringEquals", ["x", "y"], "y", "z"],
    ["StringEqualsIgnoreCase", "x", "X", "y"],
    ["StringNotEquals", "x", "X", "x"],
    ["StringNotEqualsIgnoreCase", "x", "y", "X"],
    ["StringLike", "repo:o/*:ref:refs/heads/m?in", "repo:o/r:ref:refs/heads/main", "repo:p/r"],
    ["StringLike", "a.c", "a.c", "abc"],
    ["StringNotLike", "x*", "y", "xy"],
    ["NumericEquals", 60, "60", "61"],
    ["NumericNotEquals", "60", "61", "60"],
    ["NumericLessThan", "60", "59", "60"],
    ["NumericLessThanEquals", "60", "60", "61"],
    ["NumericGreaterThan", "60", "61", "60"],
    ["NumericGreaterThanEquals", "60", "60", "59"],
    ["Bool", true, "true", "false"],
    ["ForAllValues:StringEquals", ["x", "y"], "x", "z"],
    ["ForAnyValue:StringLike", "x*", "xy", "z"],
    ["StringEqualsIfExists", "x", "x", "y"]
  ])("%s %j holds for %j and not for %j", (operator, expected, fits, doesNot) => {
    assert.isTrue(one(operator, expected, [fits]))
    assert.isFalse(one(operator, expected, [doesNot]))
  })

  it("does not hold for what the request does not say, but for those that deny, allow it, or ask for all", () => {
    for (const operator of ["StringEquals", "StringLike", "NumericEquals", "Bool"])
      assert.isFalse(one(operator, "1"), operator)
    assert.isFalse(one("ForAnyValue:StringEquals", "1"))
    for (const operator of ["StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals"])
      assert.isTrue(one(operator, "1"), operator)
    assert.isTrue(one("Null", "true"))
    assert.isFalse(one("Null", "false"))
    assert.isTrue(one("Null", "false", ["x"]))
  })

  it("over several values is all, or any, and without a word of it none", () => {
    assert.isFalse(one("ForAllValues:StringEquals", "x", ["x", "y"]))
    assert.isTrue(one("ForAnyValue:StringEquals", "x", ["x", "y"]))
    assert.isFalse(one("StringEquals", "x", ["x", "x"]))
  })

  it("holds only with all the others, and takes its key in any case", () => {
    const both = { StringEquals: { "a:One": "1", "a:two": "2" } }
    assert.isTrue(holds(both, { "A:one": ["1"], "a:two": ["2"] }))
    assert.isFalse(holds(both, { "a:one": ["1"], "a:two": ["3"] }))
    assert.isFalse(
      holds({ ...both, Bool: { "a:three": "true" } }, { "a:one": ["1"], "a:two": ["2"] })
    )
  })
})
