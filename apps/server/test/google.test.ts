/** A config file's flow to Google, by a credential configuration file of Google's, handed out as a metadata server does. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Server from "../src/Server.ts"
import { ask } from "./client.ts"
import { cloud } from "./cloud.ts"

const { config, folder, sandbox } = cloud({ setup: "empty" })

const google = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${sandbox().http}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${sandbox().google.adminToken}` },
    ...(body !== undefined && { body: JSON.stringify(body) })
  })
  assert.strictEqual(response.status, 200)
}

/** Both halves of the trust; gives the name of the file that `create-cred-config` would write, and the account. */
const trust = async () => {
  const project = `projects/${sandbox().google.projectNumber}`
  const pools = `${project}/locations/global/workloadIdentityPools`
  const email = `workload@${sandbox().google.projectId}.iam.gserviceaccount.com`
  await google("POST", `${pools}?workloadIdentityPoolId=my-pool`, {})
  await google("POST", `${pools}/my-pool/providers?workloadIdentityPoolProviderId=my-provider`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    oidc: { issuerUri: sandbox().issuerUrl("platform") }
  })
  await google("POST", `${project}/serviceAccounts`, { accountId: "workload" })
  await google("POST", `${project}/serviceAccounts/${email}:setIamPolicy`, {
    policy: {
      bindings: [
        {
          role: "roles/iam.workloadIdentityUser",
          members: [`principal://iam.googleapis.com/${pools}/my-pool/subject/me`]
        }
      ]
    }
  })
  const audience = `//iam.googleapis.com/${pools}/my-pool/providers/my-provider`
  const token = join(folder, "token")
  writeFileSync(
    token,
    await sandbox().issueToken("platform", { subject: "me", audience: `https:${audience}` })
  )
  const file = join(folder, "credentials.json")
  writeFileSync(
    file,
    JSON.stringify({
      type: "external_account",
      audience,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${sandbox().http}/v1/token`,
      service_account_impersonation_url: `${sandbox().http}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
      credential_source: { file: token }
    })
  )
  return { file, email }
}

describe("a flow to Google", () => {
  it.live("is served on the metadata server's paths, under the service account's name", () =>
    Effect.gen(function* () {
      const { email, file } = yield* Effect.promise(trust)
      const { origin } = yield* Server.make(
        {
          config: config(`
flows:
  google:
    source: { type: google-external-account, credentialsFile: ${file}, foreignHosts: true }
    exchanger:
      type: google
      credentialsFile: ${file}
      foreignHosts: true
      serviceAccount: ${email}
      lifetime: 20 minutes
`),
          listen: { host: "127.0.0.1", port: 0 }
        },
        { handed: () => {}, refused: () => {} }
      )
      const account = (path: string) =>
        Effect.promise(() =>
          ask(origin, `/computeMetadata/v1/instance/service-accounts/default/${path}`, {
            "metadata-flavor": "Google"
          })
        )
      assert.deepInclude(yield* account("email"), { status: 200, body: email })
      const { body, status } = yield* account("token")
      assert.strictEqual(status, 200, body)
      const token = JSON.parse(body)
      assert.match(token.access_token, /^ya29\./)
      assert.approximately(token.expires_in, 1200, 3)
      assert.strictEqual(sandbox().count("google.generateAccessToken"), 1)
    })
  )
})
