/** Clients that nobody here wrote, over https, as they are. */
import { ClientAssertionCredential, ManagedIdentityCredential } from "@azure/identity"
import { ConfidentialClientApplication, LogLevel } from "@azure/msal-node"
import { claimsChallenge } from "@federate/http"
import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { decodeJwt } from "jose"
import { afterAll, beforeAll, vi } from "vitest"
import { token } from "../aws.ts"
import { graph, running } from "../running.ts"

const sandbox = running()

let undo = () => {}
beforeAll(() => {
  undo = sandbox().trust()
})
afterAll(() => {
  vi.unstubAllEnvs()
  undo()
})

const scope = "https://graph.microsoft.com/.default"

const azureIdentity = (clientId = sandbox().entra.clientId ?? "") =>
  new ClientAssertionCredential(sandbox().entra.tenantId, clientId, () => token(sandbox()), {
    authorityHost: sandbox().https,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 }
  })

const msal = () =>
  new ConfidentialClientApplication({
    auth: {
      clientId: sandbox().entra.clientId ?? "",
      authority: `${sandbox().https}/${sandbox().entra.tenantId}`,
      knownAuthorities: [new URL(sandbox().https).host],
      clientAssertion: () => token(sandbox())
    },
    system: { loggerOptions: { logLevel: LogLevel.Error, loggerCallback: () => {} } }
  })

describe("@azure/identity", () => {
  it("gets a token with which Graph answers", async () => {
    const { expiresOnTimestamp, token: accessToken } = await azureIdentity().getToken(scope)
    assert.closeTo(expiresOnTimestamp, (decodeJwt(accessToken).exp ?? 0) * 1000, 2000)
    const { value } = await graph(sandbox(), accessToken).get("applications?$top=1")
    assert.lengthOf(Array.isArray(value) ? value : [], 1)
  })

  it("takes a managed identity's token as the assertion of an application", async () => {
    const { clientId, issuer, principalId } = sandbox().assignManagedIdentity()
    const app = sandbox().entra.clientId ?? ""
    await graph(sandbox()).create(`applications(appId='${app}')/federatedIdentityCredentials`, {
      name: "managed-identity",
      issuer,
      subject: principalId,
      audiences: ["api://AzureADTokenExchange"]
    })
    vi.stubEnv("AZURE_POD_IDENTITY_AUTHORITY_HOST", sandbox().http)
    const identity = new ManagedIdentityCredential({ clientId })
    const exchange = async () =>
      (await identity.getToken("api://AzureADTokenExchange/.default")).token
    const credential = new ClientAssertionCredential(sandbox().entra.tenantId, app, exchange, {
      authorityHost: sandbox().https,
      disableInstanceDiscovery: true
    })
    assert.strictEqual(decodeJwt((await credential.getToken(scope)).token)["appid"], app)
  })

  it("asks again with the claims of a challenge", async () => {
    const credential = azureIdentity()
    const { token: first } = await credential.getToken(scope, { enableCae: true })
    assert.deepStrictEqual(decodeJwt(first)["xms_cc"], ["cp1"])
    sandbox().revokeTokens()
    const response = await graph(sandbox(), first).send("GET", "applications")
    assert.strictEqual(response.status, 401)
    const claims = claimsChallenge(response.headers)
    assert.isDefined(claims)
    const { token: second } = await credential.getToken(scope, { enableCae: true, claims })
    await graph(sandbox(), second).get("applications?$top=1")
  })

  it("tells Entra's own error", async () => {
    const wrong = "99999999-9999-4999-8999-999999999999"
    const error: unknown = await azureIdentity(wrong)
      .getToken(scope)
      .catch((reason: unknown) => reason)
    assert.instanceOf(error, Error)
    assert.match(error.message, /AADSTS700016/)
  })
})

describe("@azure/msal-node", () => {
  it("gets a token, and serves it from its cache", async () => {
    const client = msal()
    const before = sandbox().count("entra.token")
    const first = await client.acquireTokenByClientCredential({ scopes: [scope] })
    const second = await client.acquireTokenByClientCredential({ scopes: [scope] })
    assert.strictEqual(first?.accessToken, second?.accessToken)
    assert.strictEqual(second?.fromCache, true)
    assert.strictEqual(sandbox().count("entra.token"), before + 1)
  })

  it("acts on behalf of a user, whom Graph then knows", async () => {
    const permission = "https://graph.microsoft.com/User.Read"
    sandbox().consent(permission)
    const oboAssertion = await sandbox().userToken({ user: "alice@sandbox.onmicrosoft.com" })
    const result = await msal().acquireTokenOnBehalfOf({ oboAssertion, scopes: [permission] })
    assert.isTrue(result?.scopes.includes(permission))
    const { displayName } = await graph(sandbox(), result?.accessToken).get("me")
    assert.strictEqual(displayName, "alice")
  })

  it("heeds Retry-After, by locking itself out", async () => {
    sandbox().fault("entra.token", Fault.throttled(60), { first: 1 })
    const client = msal()
    const ask = () =>
      client.acquireTokenByClientCredential({ scopes: [scope] }).then(
        () => "token",
        (reason: unknown) => (reason instanceof Error ? reason.message : "")
      )
    const before = sandbox().count("entra.token")
    assert.match(await ask(), /AADSTS90055/)
    assert.match(await ask(), /AADSTS90055/)
    // The second was never sent.
    assert.strictEqual(sandbox().count("entra.token"), before + 1)
  })
})
