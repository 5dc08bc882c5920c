import { kubernetesTokenRequestRules } from "@federate/ambient/trust"
import { assert, describe, it } from "@effect/vitest"

describe("a service account token's settings", () => {
  const { expected } = kubernetesTokenRequestRules

  it("fix subject and life, where the account is named", () => {
    assert.deepEqual(
      expected({ namespace: "jobs", serviceAccount: "builder", expiration: "10 minutes" }),
      {
        subject: "system:serviceaccount:jobs:builder",
        life: { setting: "expiration", milliseconds: 600_000 }
      }
    )
    assert.strictEqual(expected({ namespace: "jobs" }).subject, undefined)
    assert.strictEqual(expected({}).life?.milliseconds, 3_600_000)
  })
})
