/** Both halves of a trust in the sandbox's Google, and a flow that trades a file's assertion there. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import type { Sandbox } from "@federate/sandbox"

/** Sets the trust up; gives the service account, and the flow, which reads what `create-cred-config` would write. */
export const google = async (name: string, sandbox: Sandbox.Sandbox, folder: string) => {
  const { adminToken, projectId, projectNumber } = sandbox.google
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${sandbox.http}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${adminToken}` },
      body: JSON.stringify(body)
    })
    assert.strictEqual(response.status, 200)
  }
  const project = `projects/${projectNumber}`
  const pools = `${project}/locations/global/workloadIdentityPools`
  const email = `workload@${projectId}.iam.gserviceaccount.com`
  await post(`${pools}?workloadIdentityPoolId=my-pool`, {})
  await post(`${pools}/my-pool/providers?workloadIdentityPoolProviderId=my-provider`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    oidc: { issuerUri: sandbox.issuerUrl("platform") }
  })
  await post(`${project}/serviceAccounts`, { accountId: "workload" })
  await post(`${project}/serviceAccounts/${email}:setIamPolicy`, {
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
    await sandbox.issueToken("platform", { subject: "me", audience: `https:${audience}` })
  )
  const file = join(folder, "credentials.json")
  writeFileSync(
    file,
    JSON.stringify({
      type: "external_account",
      audience,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${sandbox.http}/v1/token`,
      service_account_impersonation_url: `${sandbox.http}/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
      credential_source: { file: token }
    })
  )
  const flow = `
  ${name}:
    source: { type: google-external-account, credentialsFile: ${file}, foreignHosts: true }
    exchanger:
      type: google
      credentialsFile: ${file}
      foreignHosts: true
      serviceAccount: ${email}
      lifetime: 20 minutes
`
  return { email, flow }
}
