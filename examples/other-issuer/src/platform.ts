/** Who stands around the program, played with a sandbox: the platform, and the administrator that trusts it. */
import { writeFile } from "node:fs/promises"
import type { Sandbox } from "@federate/sandbox"

const issuer = "my-platform"
const audience = "api://AzureADTokenExchange"

/** The platform signs a statement about the workload, and leaves it in a file. */
export const leaveToken = async (sandbox: Sandbox.Sandbox, file: string, subject: string) =>
  writeFile(file, await sandbox.issueToken(issuer, { subject, audience }), { mode: 0o600 })

/** The administrator adds a federated credential to the app: issuer, subject and audience, equal to the letter. */
export const trust = async (sandbox: Sandbox.Sandbox, subject: string) => {
  const { adminToken, clientId } = sandbox.entra
  const url = `${sandbox.https}/v1.0/applications(appId='${clientId}')/federatedIdentityCredentials`
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({
      name: issuer,
      issuer: sandbox.issuerUrl(issuer),
      subject,
      audiences: [audience]
    })
  })
  if (!response.ok) throw new Error(`Microsoft Graph answered ${response.status}`)
}
