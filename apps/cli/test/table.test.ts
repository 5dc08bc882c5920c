import { assert, describe, it } from "vitest"
import { table } from "../src/table.ts"
import { plain } from "./plain.ts"

plain()

const now = Date.UTC(2026, 10, 23, 6, 0, 0)
const second = now / 1000

const header = { alg: "RS256", kid: "key-1" }

/** The lines of the claims alone. */
const claims = (members: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const lines = table({ header, claims: members }, undefined, now).split("\n")
  return lines.slice(lines.indexOf("Claims") + 1, lines.indexOf("Signature"))
}

describe("a JWT as a table", () => {
  it("tells each member's value, and what it means", () => {
    assert.strictEqual(
      table(
        {
          header,
          claims: {
            iss: "https://issuer.example",
            sub: "me",
            aud: ["one", "two"],
            iat: second - 60,
            exp: second + 12 * 60,
            private: { a: [1, null] }
          }
        },
        undefined,
        now
      ),
      `Header
  alg  RS256  — signature algorithm
  kid  key-1  — which of the issuer's keys signed it
Claims
  iss      https://issuer.example               — who issued it
  sub      me                                   — whom it is about: the workload
  aud      ["one","two"]                        — for whom it is meant
  iat      2026-11-23 05:59:00 UTC (1 min ago)  — issued
  exp      2026-11-23 06:12:00 UTC (in 12 min)  — ends
  private  {"a":[1,null]}
Signature
  not checked (--verify fetches the issuer's keys and checks it)`
    )
  })

  it("gives a long name a line of its own, and lets a long value stand out", () => {
    assert.deepEqual(
      claims({ sub: "me", "https://aws.amazon.com/tags": {}, jti: "x".repeat(60) }),
      [
        "  sub  me  — whom it is about: the workload",
        "  https://aws.amazon.com/tags",
        "       {}  — principal tags",
        `  jti  ${"x".repeat(60)}  — its own id`
      ]
    )
  })

  it("shows a time that is none as it is", () => {
    assert.deepEqual(claims({ exp: 1e18, iat: "yesterday", nbf: null }), [
      "  exp  1000000000000000000  — ends",
      `  iat  yesterday            — issued`,
      "  nbf  null                 — not before"
    ])
  })

  it("takes no meaning from an object's own members", () => {
    assert.deepEqual(claims({ constructor: "x", toString: "y" }), [
      "  constructor  x",
      "  toString     y"
    ])
  })

  it("obeys nothing that the token holds", () => {
    const text = table(
      {
        header: { "\u001b[1m": "\u0007" },
        claims: { iss: "\u009b2J", nested: { text: "\u0085\u202e" } }
      },
      { valid: false, detail: "not by \u001b[1m" },
      now
    )
    for (const control of "\u001b\u0007\u009b\u0085\u202e") assert.notInclude(text, control)
  })

  it("ends with the verdict", () => {
    const verdict = (valid: boolean) =>
      table({ header, claims: {} }, { valid, detail: "told why" }, now).split("\n").at(-1)
    assert.strictEqual(verdict(true), "  ✓ valid: told why")
    assert.strictEqual(verdict(false), "  ✗ not valid: told why")
  })
})
