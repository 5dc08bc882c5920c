/** The managed identity of what runs on App Service: its endpoint, Azure's own client, and a source. */
import { ManagedIdentityCredential } from "@azure/identity"
import { azureManagedIdentity } from "@federate/ambient"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodeJwt } from "jose"
import { afterEach, vi } from "vitest"
import { running } from "../running.ts"

const sandbox = running()
afterEach(() => vi.unstubAllEnvs())

const exchange = "api://AzureADTokenExchange"

const ask = async (
  parameters: Readonly<Record<string, string | undefined>>,
  header: string | undefined = sandbox().platforms.appService.IDENTITY_HEADER
) => {
  const url = new URL(sandbox().platforms.appService.IDENTITY_ENDPOINT)
  const all = { "api-version": "2019-08-01", resource: exchange, ...parameters }
  for (const [name, value] of Object.entries(all)) url.searchParams.append(name, value ?? "")
  const response = await fetch(url, { headers: { "x-identity-header": header } })
  // The endpoint's objects; the assertions fail on anything else.
  const body = (await response.json()) as Readonly<Record<string, string | undefined>>
  return { status: response.status, body }
}

describe("App Service's endpoint", () => {
  it("gives the token of the identity that is named, by each of its ids", async () => {
    const { clientId, issuer, principalId, resourceId } = sandbox().assignManagedIdentity()
    const answers = await Promise.all(
      [
        { client_id: clientId },
        { object_id: principalId },
        { principal_id: principalId },
        { mi_res_id: resourceId.toUpperCase() }
      ].map((named) => ask(named))
    )
    for (const { body, status } of answers) {
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { client_id: clientId, resource: exchange })
      assert.match(body["expires_on"] ?? "", /^\d+$/)
      const claims: Readonly<Record<string, unknown>> = decodeJwt(body["access_token"] ?? "")
      assert.deepInclude(claims, {
        iss: issuer,
        sub: principalId,
        xms_mirid: resourceId
      })
    }
  })

  const refusals: ReadonlyArray<
    readonly [string, Record<string, string>, string | undefined, number, RegExp]
  > = [
    ["another process's header", {}, "WRONG", 401, /^Unauthorized$/],
    ["a version that it does not have", { "api-version": "2017-09-01" }, undefined, 400, /version/],
    ["a token for nothing", { resource: "" }, undefined, 400, /resource/],
    ["an identity that is not assigned", { client_id: "x" }, undefined, 400, /^No User Assigned/],
    ["the instance's own identity, which it has not", {}, undefined, 400, /^No User Assigned/],
    ["two identities", { client_id: "x", mi_res_id: "y" }, undefined, 400, /Only one/]
  ]
  for (const [what, parameters, header, status, message] of refusals) {
    it(`refuses ${what}`, async () => {
      const answer = await ask(parameters, header)
      assert.strictEqual(answer.status, status)
      assert.match(answer.body["message"] ?? "", message)
      assert.strictEqual(Number(answer.body["statusCode"]), status)
    })
  }

  it("says which resource the tenant does not have", async () => {
    const { clientId } = sandbox().assignManagedIdentity()
    const { body } = await ask({ client_id: clientId, resource: "https://x.example" })
    assert.match(body["message"] ?? "", /AADSTS500011.*https:\/\/x\.example/)
  })
})

describe("on App Service", () => {
  it("@azure/identity gets the token", async () => {
    const { clientId, principalId } = sandbox().assignManagedIdentity()
    for (const [name, value] of Object.entries(sandbox().platforms.appService))
      vi.stubEnv(name, value)
    const credential = new ManagedIdentityCredential({ clientId })
    const { token } = await credential.getToken(`${exchange}/.default`)
    assert.strictEqual(decodeJwt(token).sub, principalId)
  })

  it.effect("a source gets the assertion, and is told what is wrong with its identity", () =>
    Effect.gen(function* () {
      const { clientId, principalId } = sandbox().assignManagedIdentity()
      const variables = new Map<string, string>(Object.entries(sandbox().platforms.appService))
      const asked = (options: { readonly clientId?: string }) =>
        Effect.flatMap(
          azureManagedIdentity({ ...options, environment: (name) => variables.get(name) }),
          (source) => source.assertion({})
        )
      assert.strictEqual((yield* asked({ clientId })).subject, principalId)
      const { reason } = yield* Effect.flip(asked({}))
      if (reason._tag !== "Rejected") return assert.fail(reason._tag)
      assert.match(reason.hint, /`clientId`/)
    })
  )
})
