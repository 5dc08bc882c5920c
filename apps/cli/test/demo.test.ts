import { assert, describe, it, vi } from "vitest"
import { demo, outcome } from "./process.ts"

vi.setConfig({ testTimeout: 30_000 })

describe("the demo", () => {
  it("walks the first journey in seven steps, and ends with a mistake that explains itself", async () => {
    const { code, stderr, stdout } = await outcome(demo())
    assert.strictEqual(stderr, "")
    assert.strictEqual(code, 0)
    const [, ...steps] = stdout.split(/^(?=\d )/m)
    assert.deepEqual(
      steps.map((step) => step.slice(0, 1)),
      ["1", "2", "3", "4", "5", "6", "7"]
    )
    const [seventh = "", mistake = ""] = (steps.at(-1) ?? "").split(/^✗ (?=And a mistake)/m)
    assert.match(seventh, /← HTTP 200 \[\{"displayName":"federate-demo"\}\]\n\n$/)
    assert.match(mistake, /✗ entra said no[^]*\n {2}code +AADSTS700213 \(HTTP 40[01]\)\n/)
    assert.match(mistake, /\n {2}fix +\S/)
    assert.match(mistake, /\n {2}trace +[\da-f-]{36}\n/)
    // Ten characters of a token are shown, and no more.
    assert.match(stdout, /eyJ[\w-]{7}… \(\d+ characters\)/)
    assert.notMatch(stdout, /eyJ[\w-]{8}/)
  })
})
