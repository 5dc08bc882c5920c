import { like } from "@federate/trust"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

describe("a text with wildcards", () => {
  it("is held against the whole of a value, in its own case", () => {
    for (const [pattern, value, fits] of [
      ["repo:o/r:*", "repo:o/r:ref:refs/heads/main", true],
      ["repo:o/r:*", "xrepo:o/r:", false],
      ["repo:o/?:x", "repo:o/r:x", true],
      ["repo:o/?:x", "repo:o/rr:x", false],
      ["repo:o/?", "repo:o/😀", true],
      ["a.c", "abc", false],
      ["a*", "a\nb", true],
      ["A", "a", false]
    ] as const) {
      assert.strictEqual(like(pattern).test(value), fits, `${pattern} ${value}`)
    }
    assert.isTrue(like("STS:Get*", "i").test("sts:getwebidentitytoken"))
  })

  it("does not take for ever", () => {
    assert.isFalse(like(`${"*".repeat(5000)}b`).test("a".repeat(5000)))
  })

  it.prop("is itself without them", [Schema.String], ([text]) => {
    const plain = text.replace(/[*?]/g, "")
    assert.isTrue(like(plain).test(plain))
  })
})
