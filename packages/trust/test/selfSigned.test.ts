import { assert, describe, it } from "@effect/vitest"
import { selfSignedRules } from "@federate/trust"

describe("a self-signed token's settings", () => {
  it("fix subject and life", () => {
    const settings = { issuer: "https://issuer.example", subject: "build" }
    assert.deepEqual(selfSignedRules.expected(settings), {
      subject: "build",
      life: { setting: "lifetime", milliseconds: 300_000 }
    })
    assert.strictEqual(
      selfSignedRules.expected({ ...settings, lifetime: "2 minutes" }).life?.milliseconds,
      120_000
    )
    assert.deepEqual(selfSignedRules.check(settings, { others: [], documents: [] }), [])
  })
})
