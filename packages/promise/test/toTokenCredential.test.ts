/** In the Azure SDKs' own pipeline. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest
} from "@azure/core-rest-pipeline"
import type { TokenCredential } from "@azure/core-auth"
import { SecretClient } from "@azure/keyvault-secrets"
import { assert, describe, it } from "@effect/vitest"
import { expectTypeOf } from "vitest"
import { createFlow, toTokenCredential } from "../src/index.ts"
import { claimsOf, counting, failure, firstJourney, graphScope, issued, running } from "./flow.ts"

const sandbox = running()

describe("toTokenCredential", () => {
  it("is what the Azure SDKs take", () => {
    expectTypeOf(toTokenCredential(counting().flow)).toExtend<TokenCredential>()
  })

  it("gives the flow's token, with its end and when to ask again", async () => {
    await using flow = firstJourney(sandbox(), { clientCapabilities: ["cp1"] })
    const got = await toTokenCredential(flow).getToken([graphScope])
    const { expiresAt, refreshAt, token } = await flow.getToken(graphScope)
    // Entra says so of tokens that live for a day.
    assert.isDefined(refreshAt)
    assert.deepStrictEqual(got, {
      token,
      expiresOnTimestamp: expiresAt,
      refreshAfterTimestamp: refreshAt,
      tokenType: "Bearer"
    })
  })

  it("says nothing of asking again where the issuer does not", async () => {
    const { expiresOnTimestamp, ...rest } = await toTokenCredential(counting().flow).getToken([])
    assert.approximately(expiresOnTimestamp, Date.now() + 3600_000, 5000)
    assert.hasAllKeys(rest, ["token", "tokenType"])
  })

  it("is aborted by the SDK's signal", async () => {
    const credential = toTokenCredential(counting().flow)
    const abortSignal = AbortSignal.abort()
    const call = credential.getToken("a", { abortSignal })
    assert.strictEqual(await call.catch((error: unknown) => error), abortSignal.reason)
  })

  it("chooses the flow by the tenant that a challenge names", async () => {
    const tenants: Array<string | undefined> = []
    const flows = new Map([
      [undefined, counting().flow],
      ["other", createFlow({ source: issued(sandbox()).source })]
    ])
    const credential = toTokenCredential((tenantId) => {
      tenants.push(tenantId)
      return flows.get(tenantId)!
    })
    assert.strictEqual(claimsOf((await credential.getToken("a")).token)["sub"], "workload-1")
    const other = await credential.getToken("a", { tenantId: "other" })
    assert.strictEqual(claimsOf(other.token)["sub"], "workload")
    assert.deepStrictEqual(tenants, [undefined, "other"])
  })

  it("tells why there is no token", async () => {
    await using flow = firstJourney(sandbox())
    const { hint, reason } = await failure(toTokenCredential(flow).getToken("User.Read"))
    assert.strictEqual(reason.type, "Misconfigured")
    assert.match(hint ?? "", /User\.Read\/\.default/)
  })
})

describe("a pipeline with Microsoft Graph at its end", () => {
  it("gets past a challenge of continuous access evaluation, with one token more", async () => {
    await using flow = firstJourney(sandbox(), { clientCapabilities: ["cp1"] })
    const pipeline = createEmptyPipeline()
    pipeline.addPolicy(
      bearerTokenAuthenticationPolicy({ credential: toTokenCredential(flow), scopes: graphScope })
    )
    const client = createDefaultHttpClient()
    const read = async () => {
      const url = `${sandbox().https}/v1.0/applications?$top=1`
      const { bodyAsText, status } = await pipeline.sendRequest(
        client,
        createPipelineRequest({ url })
      )
      assert.strictEqual(status, 200, bodyAsText ?? "")
    }
    await read()
    const tokens = sandbox().count("entra.token")
    sandbox().revokeTokens()
    await read()
    await read()
    assert.strictEqual(sandbox().count("entra.token"), tokens + 1)
  })
})

describe("@azure/keyvault-secrets", () => {
  /** A vault that says whose tokens it wants, and has no other. */
  const vault = async () => {
    const { tenantId } = sandbox().entra
    const challenge = `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="https://vault.azure.net"`
    const server = createServer(({ headers }, response) => {
      const token = headers.authorization?.replace("Bearer ", "")
      response.setHeader("content-type", "application/json")
      if (token === undefined) {
        response.writeHead(401, { "www-authenticate": challenge }).end("{}")
      } else if (claimsOf(token)["aud"] !== "https://vault.azure.net") {
        response.writeHead(403).end("{}")
      } else {
        response.end(JSON.stringify({ id: "https://v.vault.azure.net/secrets/s/1", value: "open" }))
      }
    })
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    // A TCP server's.
    const { port } = server.address() as AddressInfo
    return { port, [Symbol.dispose]: () => void server.close().closeAllConnections() }
  }

  it("reads a secret, and tells the tenant of the vault", async () => {
    using server = await vault()
    await using flow = firstJourney(sandbox())
    const tenants: Array<string | undefined> = []
    const wire = createDefaultHttpClient()
    const secrets = new SecretClient(
      "https://v.vault.azure.net",
      toTokenCredential((tenantId) => {
        tenants.push(tenantId)
        return flow
      }),
      {
        httpClient: {
          // The vault's name leads to this machine.
          sendRequest: (request) =>
            wire.sendRequest({
              ...request,
              url: request.url.replace(
                "https://v.vault.azure.net",
                `http://127.0.0.1:${server.port}`
              ),
              allowInsecureConnection: true
            })
        }
      }
    )
    assert.strictEqual((await secrets.getSecret("s")).value, "open")
    assert.strictEqual((await secrets.getSecret("s")).value, "open")
    assert.deepStrictEqual([...new Set(tenants)], [sandbox().entra.tenantId])
  })
})
