import {
  FederationError,
  Malformed,
  Misconfigured,
  Rejected,
  Transient,
  Unavailable
} from "@federate/core"
import type { Reason } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const message = (reason: Reason) =>
  new FederationError({ adapter: "entra", stage: "exchange", reason }).message

describe("FederationError", () => {
  it("reads as a person wants it: who, what, and the fix", () => {
    assert.strictEqual(
      message(
        new Rejected({
          code: "AADSTS700213",
          status: 401,
          description: "No matching record found for subject 'x'",
          hint: "The credential must have the subject x.",
          remedy: "waitForTrust"
        })
      ),
      "entra: AADSTS700213: No matching record found for subject 'x'. The credential must have the subject x."
    )
    assert.strictEqual(
      message(new Misconfigured({ setting: "tenantId", problem: "is empty.", hint: "Set it." })),
      "entra: tenantId: is empty. Set it."
    )
    assert.strictEqual(message(new Unavailable({ detail: "no keys" })), "entra: no keys")
    assert.strictEqual(
      message(new Unavailable({ detail: "no keys", hint: "Make some." })),
      "entra: no keys. Make some."
    )
    assert.strictEqual(message(new Transient({ detail: "reset" })), "entra: reset")
    assert.strictEqual(message(new Malformed({ detail: "HTML" })), "entra: HTML")
  })

  it.effect("is caught by its reason", () =>
    Effect.gen(function* () {
      const failing = Effect.fail(
        new FederationError({
          adapter: "x",
          stage: "assertion",
          reason: new Transient({ detail: "down", retryAt: 5 })
        })
      )
      const retryAt = yield* failing.pipe(
        Effect.catchReason("FederationError", "Transient", (reason) =>
          Effect.succeed(reason.retryAt)
        )
      )
      assert.strictEqual(retryAt, 5)
    })
  )
})
