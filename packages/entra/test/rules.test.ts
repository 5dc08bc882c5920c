import { assert, describe, it } from "@effect/vitest"
import { exchangerRules } from "@federate/entra/trust"

const settings = {
  tenantId: "00000000-0000-0000-0000-000000000000",
  clientId: "00000000-0000-0000-0000-000000000000"
}

const found = (
  given: Partial<Parameters<typeof exchangerRules.check>[0]>,
  claims: Readonly<Record<string, string>> = {}
) =>
  exchangerRules
    .check({ ...settings, ...given }, { claims }, { others: [], documents: [] })
    .map(({ subject, verdict }) => [verdict, subject])

describe("an application's settings", () => {
  it.each([
    [{ audience: "api://AzureADTokenExchangeUSGov" }, ["wrong", "audience"]],
    [{ cloud: "china", audience: "api://AzureADTokenExchange" } as const, ["wrong", "audience"]],
    [
      {
        authorityHost: "https://login.microsoftonline.us/",
        audience: "api://AzureADTokenExchange"
      },
      ["wrong", "audience"]
    ],
    [{ tenantId: "contoso.onmicrosoft.com" }, ["note", "tenantId"]]
  ])("%j are told of", (given, finding) => {
    assert.deepEqual(found(given), [finding])
  })

  it.each([
    {},
    { audience: "api://AzureADTokenExchange" },
    { cloud: "china", audience: "api://AzureADTokenExchangeChina" } as const,
    // A pool's id, or a stand-in's cloud: nobody here knows better.
    { audience: "eu-central-1:pool" },
    { authorityHost: "https://127.0.0.1:8443", audience: "api://AzureADTokenExchange" }
  ])("%j are not", (given) => {
    assert.deepEqual(found(given), [])
  })

  it("take claims of 600 characters", () => {
    assert.deepEqual(found({}, { sub: "x".repeat(600) }), [])
    assert.deepEqual(found({}, { sub: "x".repeat(601) }), [["wrong", "sub"]])
  })
})
