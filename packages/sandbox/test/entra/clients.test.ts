/** Clients that nobody here wrote, over https, as they are. */
import { ClientAssertionCredential } from "@azure/identity"
import { ConfidentialClientApplication, LogLevel } from "@azure/msal-node"
import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { decodeJwt } from "jose"
import { afterAll, beforeAll } from "vitest"
import { token } from "../aws.ts"
import { graph, running } from "../running.ts"

const sandbox = running()

let undo = () => {}
beforeAll(() => {
  undo = sandbox().trust()
})
afterAll(() => undo())

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
