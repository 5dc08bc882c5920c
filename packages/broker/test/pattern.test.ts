import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { isBlank, pattern } from "../src/pattern.ts"

/** Characters of an alphabet, to be joined. */
const from = (alphabet: string, most = 12) =>
  Schema.Array(Schema.Literals(alphabet.split(""))).check(Schema.isMaxLength(most))

/** The same by a regular expression, which goes back: for short texts alone. */
const reference = (text: string): RegExp => {
  const parts = text
    .split(/(\*\*|\*)/)
    .map((part) =>
      part === "**" ? "[^]*" : part === "*" ? "[^:/]*" : part.replace(/[.+?^${}()|[\]\\/]/g, "\\$&")
    )
  return new RegExp(`^${parts.join("")}$`, "u")
}

describe("a pattern", () => {
  for (const [text, matching, others] of [
    ["repo:a/b", ["repo:a/b"], ["repo:a/B", "repo:a/b ", "xrepo:a/b", "repo:a/b:ref", ""]],
    ["repo:a/*:ref:**", ["repo:a/b:ref:refs/heads/x", "repo:a/:ref:"], ["repo:a/b/c:ref:x"]],
    ["*", ["", "abc"], ["a:b", "a/b"]],
    ["**", ["", "a:b/c\n"], []],
    ["a*b*c", ["abc", "a-b-b-c"], ["a:bc", "ab", "acb"]],
    ["a.c", ["a.c"], ["abc"]],
    ["(a+)+$", ["(a+)+$"], ["aaa"]],
    ["[a-z]\\d|x", ["[a-z]\\d|x"], ["b1", "x"]],
    ["*:😀", ["😀:😀", ":😀"], ["😀"]]
  ] as const) {
    it(`"${text}" is held against the whole of a value`, () => {
      for (const value of matching) assert.isTrue(pattern(text)(value), value)
      for (const value of others) assert.isFalse(pattern(text)(value), value)
    })
  }

  it.prop(
    "matches what a regular expression of the same meaning matches",
    [from("ab*:/"), from("ab*:/")],
    (drawn) => {
      const [text, value] = drawn.map((each) => each.join("")) as [string, string]
      assert.strictEqual(pattern(text)(value), reference(text).test(value), `${text} ${value}`)
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop(
    "without wildcards is its own text alone",
    [from("aA.+?^$[](){}|\\:/ \n"), from("aA.+?^$[](){}|\\:/ \n")],
    (drawn) => {
      const [text, value] = drawn.map((each) => each.join("")) as [string, string]
      assert.isTrue(pattern(text)(text))
      assert.strictEqual(pattern(text)(value), text === value)
    }
  )

  it.prop(
    "with one wildcard takes a segment, and with two takes segments",
    [from("ab", 5), from("ab:/", 5), from("ab", 5)],
    (drawn) => {
      const [before, between, after] = drawn.map((each) => each.join("")) as [
        string,
        string,
        string
      ]
      const value = `${before}:${between}:${after}`
      assert.isTrue(pattern(`${before}:**:${after}`)(value))
      assert.strictEqual(pattern(`${before}:*:${after}`)(value), !/[:/]/.test(between))
    }
  )

  it("is never lost in what it has seen already", () => {
    // A matcher that goes back would need longer than the universe is old.
    const wild = "a*".repeat(256)
    assert.isFalse(pattern(`${wild}b`)("a".repeat(4096)))
    assert.isTrue(pattern(wild)("a".repeat(4096)))
    assert.isFalse(pattern(`${"**".repeat(255)}b`)("a".repeat(4096)))
  })
})

describe("a pattern that says nothing", () => {
  it("is of wildcards and the ends of segments", () => {
    for (const text of ["", "*", "**", "***", "**:**", "*/*", ":", "*:*:*"]) {
      assert.isTrue(isBlank(text), text)
    }
    for (const text of ["a*", "repo:**", "*.", " "]) assert.isFalse(isBlank(text), text)
  })
})
