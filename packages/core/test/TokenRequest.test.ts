import { TokenRequest } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const { key } = TokenRequest

describe("TokenRequest.key", () => {
  it("is the same for the same request, however it is written", () => {
    assert.strictEqual(key(), key({}))
    assert.strictEqual(key({}), key({ scopes: [] }))
    assert.strictEqual(key({ scopes: ["b", "a"] }), key({ scopes: ["a", "b", "a"] }))
    assert.strictEqual(key({ scopes: ["a"] }), key({ scopes: ["a", "a"] }))
    assert.strictEqual(
      key({ scopes: ["b", "a"], audience: "x" }),
      key({ scopes: ["a", "b"], audience: "x" })
    )
  })

  it("does not know what was rejected", () => {
    assert.strictEqual(
      key({ scopes: ["a"], rejected: { obtainedAt: 0, expiresAt: 1 } }),
      key({ scopes: ["a"] })
    )
  })

  it("tells scopes, audience and claims apart", () => {
    const keys = [
      {},
      { scopes: ["a"] },
      { audience: "a" },
      { claims: "a" },
      { scopes: ["a"], audience: "a" }
    ].map(key)
    assert.strictEqual(new Set(keys).size, keys.length)
  })

  const scope = Schema.String.check(Schema.isPattern(/^[!-~]{1,8}$/))
  it.prop(
    "differs where the sets of scopes differ",
    [Schema.Array(scope), Schema.Array(scope)],
    ([a, b]) => {
      const same =
        new Set(a).size === new Set([...a, ...b]).size &&
        new Set(b).size === new Set([...a, ...b]).size
      assert.strictEqual(key({ scopes: a }) === key({ scopes: b }), same)
    }
  )
})
