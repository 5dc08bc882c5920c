/** In Google's own library. */
import { assert, describe, it } from "@effect/vitest"
import { IdentityPoolClient, OAuth2Client } from "google-auth-library"
import { beforeAll } from "vitest"
import { google } from "../src/google.ts"
import { createFlow, toGoogleRefreshHandler, toSubjectTokenSupplier } from "../src/index.ts"
import { issued, running } from "./flow.ts"

const sandbox = running()

/** A pool that trusts the sandbox's issuer `workload`. */
const pool = "locations/global/workloadIdentityPools/pool"
let audience = ""
beforeAll(async () => {
  const { google: cloud, http, issuerUrl } = sandbox()
  const project = `projects/${cloud.projectNumber}`
  const create = async (path: string, body: unknown) => {
    const response = await fetch(`${http}/v1/${project}/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${cloud.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    assert.strictEqual(response.status, 200, await response.text())
  }
  await create("locations/global/workloadIdentityPools?workloadIdentityPoolId=pool", {})
  await create(`${pool}/providers?workloadIdentityPoolProviderId=tests`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    oidc: { issuerUri: issuerUrl("workload") }
  })
  audience = `//iam.googleapis.com/${project}/${pool}/providers/tests`
})

/** Who the sandbox's Google takes a client for: it may do nothing, and is told so by name. */
const whoAmI = async (client: OAuth2Client | IdentityPoolClient) => {
  const { google: cloud, http } = sandbox()
  const response = await client.request({
    url: `${http}/v1/projects/${cloud.projectNumber}`,
    validateStatus: () => true
  })
  return [response.status, JSON.stringify(response.data)] as const
}

describe("toGoogleRefreshHandler", () => {
  it("makes an OAuth2Client that calls Google as the federated principal", async () => {
    const { http } = sandbox()
    await using flow = createFlow({
      source: issued(sandbox()).source,
      exchanger: google({ audience, stsEndpoint: `${http}/v1/token` })
    })
    const client = new OAuth2Client()
    client.refreshHandler = toGoogleRefreshHandler(flow)
    const exchanges = sandbox().count("google.token")
    const [status, answer] = await whoAmI(client)
    assert.strictEqual(status, 403, answer)
    assert.match(answer, /resourcemanager\.projects\.get/)
    await whoAmI(client)
    assert.strictEqual(sandbox().count("google.token"), exchanges + 1)
    assert.strictEqual(client.credentials.expiry_date, flow.current()?.expiresAt)
  })

  it("asks for the scopes that it was given", async () => {
    const { http } = sandbox()
    const scope = "https://www.googleapis.com/auth/devstorage.read_only"
    await using flow = createFlow({
      source: issued(sandbox()).source,
      exchanger: google({ audience, stsEndpoint: `${http}/v1/token` })
    })
    const { access_token } = await toGoogleRefreshHandler(flow, scope)()
    assert.strictEqual(flow.current({ scopes: [scope] })?.token, access_token)
  })
})

describe("toSubjectTokenSupplier", () => {
  it("lets an IdentityPoolClient trade the assertions by itself, for its provider's audience", async () => {
    const { asked, source } = issued(sandbox())
    await using flow = createFlow({ source })
    const client = new IdentityPoolClient({
      type: "external_account",
      audience,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${sandbox().http}/v1/token`,
      subject_token_supplier: toSubjectTokenSupplier(flow)
    })
    const [status, answer] = await whoAmI(client)
    assert.strictEqual(status, 403, answer)
    assert.match(answer, /resourcemanager\.projects\.get/)
    assert.strictEqual(asked[0]?.audience, `https:${audience}`)
  })
})
