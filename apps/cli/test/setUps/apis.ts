/** The other sides' own APIs, with all rights, for who sets something up. */
import { IAMClient } from "@aws-sdk/client-iam"
import { assert } from "@effect/vitest"
import type { Sandbox } from "@federate/sandbox"

/** An object of theirs: what is asked of it must be there. */
type Texts = Readonly<Record<string, string>> & Readonly<Record<"id" | "appId" | "email", string>>

const call = async (url: string, token: string, method: string, body?: object): Promise<Texts> => {
  const answer = await fetch(url, {
    method,
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) })
  })
  const text = await answer.text()
  assert.isTrue(answer.ok, `${method} ${url}: ${text}`)
  // Who asks says what he expects, and fails on anything else.
  return (text === "" ? {} : JSON.parse(text)) as Texts
}

/** Microsoft Graph; paths begin after `/v1.0/`. */
export const graph =
  ({ entra, https }: Sandbox.Sandbox) =>
  (method: string, path: string, body?: object) =>
    call(`${https}/v1.0/${path}`, entra.adminToken, method, body)

/** Google's APIs; paths begin after `/v1/`. */
export const google = (sandbox: Sandbox.Sandbox) => (method: string, path: string, body?: object) =>
  call(`${sandbox.http}/v1/${path}`, sandbox.google.adminToken, method, body)

export const iam = ({ aws, http }: Sandbox.Sandbox) =>
  new IAMClient({ endpoint: http, region: aws.region, credentials: aws.admin })
