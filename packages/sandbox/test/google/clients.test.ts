/** Google's own library, as it is, against the sandbox's Google. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ExternalAccountClient, GoogleAuth } from "google-auth-library"
import { afterAll, afterEach, beforeAll, vi } from "vitest"
import { running } from "../running.ts"
import { google, trust } from "./google.ts"
import type { Trust } from "./google.ts"

const sandbox = running()

let directory = ""
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "federate-google-"))
})
afterEach(() => vi.unstubAllEnvs())
afterAll(() => rm(directory, { recursive: true }))

/** What `gcloud iam workload-identity-pools create-cred-config` writes, for this place. */
const credentials = async (trusted: Trust, isImpersonating: boolean) => {
  const file = join(directory, "token")
  await writeFile(file, await trusted.token())
  return {
    type: "external_account",
    audience: trusted.audience,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${sandbox().http}/v1/token`,
    ...(isImpersonating && {
      service_account_impersonation_url: `${sandbox().http}/v1/projects/-/serviceAccounts/${trusted.serviceAccount}:generateAccessToken`,
      service_account_impersonation: { token_lifetime_seconds: 1200 }
    }),
    credential_source: { file }
  }
}

describe("google-auth-library", () => {
  it("gets a service account's token, by the file that GOOGLE_APPLICATION_CREDENTIALS names", async () => {
    const trusted = await trust(sandbox())
    const keyFile = join(directory, "credentials.json")
    await writeFile(keyFile, JSON.stringify(await credentials(trusted, true)))
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", keyFile)
    // Without it the library asks Resource Manager, at an address that cannot be changed.
    vi.stubEnv("GOOGLE_CLOUD_PROJECT", sandbox().google.projectId)
    const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" })
    const client = await auth.getClient()
    const { token } = await client.getAccessToken()
    assert.closeTo((client.credentials.expiry_date ?? 0) - Date.now(), 1_200_000, 3000)
    // The account may do nothing; what it is refused says that Google knows it.
    const own = await google(sandbox(), token ?? "").refused(403, "GET", trusted.project)
    assert.match(own.message, /resourcemanager\.projects\.get/)
  })

  it("gets a federated token, which acts as the principal", async () => {
    const trusted = await trust(sandbox())
    const client = ExternalAccountClient.fromJSON(await credentials(trusted, false))
    const { token } = (await client?.getAccessToken()) ?? {}
    const answer = await google(sandbox(), token ?? "").call(
      "POST",
      `projects/-/serviceAccounts/${trusted.serviceAccount}:generateIdToken`,
      { audience: "x" }
    )
    assert.property(answer, "token")
  })

  it("tells Google's own errors", async () => {
    const trusted = await trust(sandbox(), {
      provider: { attributeCondition: "false" }
    })
    const client = ExternalAccountClient.fromJSON(await credentials(trusted, false))
    const error: unknown = await client?.getAccessToken().catch((reason: unknown) => reason)
    assert.instanceOf(error, Error)
    assert.strictEqual(
      error.message,
      "Error code unauthorized_client: The given credential is rejected by the attribute condition."
    )
  })
})
