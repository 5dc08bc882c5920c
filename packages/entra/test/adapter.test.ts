import { AssertionSource } from "@federate/core"
import { exchanger } from "@federate/entra/adapter"
import { adapterContract, assertionFor, flowContract } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const settings = {
  tenantId: "11111111-2222-3333-4444-555555555555",
  clientId: "66666666-7777-8888-9999-aaaaaaaaaaaa"
}
const scopes = ["https://graph.microsoft.com/.default"]
const token = "THE-ACCESS-TOKEN"
const well = () => Response.json({ token_type: "Bearer", expires_in: 3599, access_token: token })

adapterContract("Entra", { adapter: exchanger, settings, request: { scopes }, well })

flowContract("An assertion for Entra", {
  make: (fetch) =>
    Effect.map(exchanger.make({ ...settings, scopes }, { fetch }), (entra) => ({
      source: AssertionSource.fixed(assertionFor("workload")),
      exchanger: entra
    })),
  well,
  requests: 1,
  stale: () =>
    Response.json(
      {
        error: "invalid_client",
        error_description: "AADSTS700024: It is not within its valid time range.",
        error_codes: [700_024]
      },
      { status: 401 }
    ),
  secrets: [token]
})

describe("in a config file", () => {
  it("Entra's tokens are for Azure's SDKs, as the app that they are of", () => {
    assert.deepInclude(exchanger, { issues: "AccessToken", cloud: "azure" })
    assert.strictEqual(exchanger.client?.(settings), settings.clientId)
    assert.deepStrictEqual(exchanger.scopes?.({ ...settings, scopes }), scopes)
  })
})
