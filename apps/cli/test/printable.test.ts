import { assert, describe, it } from "vitest"
import { printable, shortened } from "../src/printable.ts"

describe("foreign text", () => {
  it("loses what a terminal obeys, and nothing else", () => {
    assert.strictEqual(printable("\u001b]0;title\u0007\r\n"), "�]0;title���")
    assert.strictEqual(printable("\u009b31m red"), "�31m red")
    assert.strictEqual(printable("abc\u202etxt.exe"), "abc�txt.exe")
    assert.strictEqual(printable("Zürich, 東京, 🙂"), "Zürich, 東京, 🙂")
  })
})

describe("what the caller wrote", () => {
  it("is told whole when it is short", () => {
    const written = `There is no flow called "graph-of-the-payments-team.eu"`
    assert.strictEqual(shortened(written), written)
    const guid = "11111111-2222-3333-4444-555555555555"
    assert.strictEqual(shortened(guid), guid)
  })

  it("is cut where a token stands in a name's place", () => {
    const token = `eyJhbGciOiJSUzI1NiJ9.${"e30".repeat(20)}.${"A".repeat(80)}`
    assert.strictEqual(shortened(`no flow "${token}"`), `no flow "eyJhbGci…"`)
  })
})
