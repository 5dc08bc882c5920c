/** Google's IAM API with the owner's token, and a trust as most people set it up. */
import type { Sandbox, TokenOptions } from "@federate/sandbox"
import { assert } from "@effect/vitest"

type Body = Readonly<Record<string, unknown>>

/** Google's APIs; paths begin after `/v1/`. */
export const google = (
  sandbox: Sandbox.Sandbox,
  bearer: string | undefined = sandbox.google.adminToken
) => {
  const send = (method: string, path: string, body?: unknown) =>
    fetch(`${sandbox.http}/v1/${path}`, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
  const json = async (status: number, call: Promise<Response>) => {
    const response = await call
    const text = await response.text()
    assert.strictEqual(response.status, status, text)
    // Google's objects; the test that asks says which properties it expects.
    return JSON.parse(text) as Body
  }
  return {
    send,
    call: (method: string, path: string, body?: unknown) => json(200, send(method, path, body)),
    /** Google's error for a call that it refuses. */
    refused: async (status: number, ...call: Parameters<typeof send>) => {
      const { error } = await json(status, send(...call))
      // The envelope of Google's APIs.
      return error as {
        readonly code: number
        readonly message: string
        readonly status: string
        readonly details?: ReadonlyArray<Body>
      }
    }
  }
}

/** How often a trust was set up, for names that nobody has. */
let trusts = 0

/** A pool with a provider for one of the sandbox's own issuers, and a service account that its subjects may act as. */
export const trust = async (
  sandbox: Sandbox.Sandbox,
  change: {
    readonly provider?: Body
    readonly oidc?: Body
    /** Of the service account's policy; `{principal}` is the pool's name for a member. */
    readonly members?: ReadonlyArray<string>
    readonly role?: string
  } = {}
) => {
  const number = ++trusts
  const project = `projects/${sandbox.google.projectNumber}`
  const pools = `${project}/locations/global/workloadIdentityPools`
  const pool = `pool-${number}`
  const issuer = `google-${number}`
  const { call } = google(sandbox)
  await call("POST", `${pools}?workloadIdentityPoolId=${pool}`, { displayName: "A pool" })
  await call("POST", `${pools}/${pool}/providers?workloadIdentityPoolProviderId=tests`, {
    attributeMapping: { "google.subject": "assertion.sub" },
    oidc: { issuerUri: sandbox.issuerUrl(issuer), ...change.oidc },
    ...change.provider
  })
  const { email } = await call("POST", `${project}/serviceAccounts`, {
    accountId: `account-${number}`
  })
  const serviceAccount = String(email)
  const principal = `iam.googleapis.com/${pools}/${pool}`
  await call("POST", `${project}/serviceAccounts/${serviceAccount}:setIamPolicy`, {
    policy: {
      bindings: [
        {
          role: change.role ?? "roles/iam.workloadIdentityUser",
          members: (change.members ?? ["principal://{principal}/subject/workload"]).map((member) =>
            member.replace("{principal}", principal)
          )
        }
      ]
    }
  })
  const audience = `//iam.googleapis.com/${pools}/${pool}/providers/tests`
  return {
    project,
    pools,
    pool: `${pools}/${pool}`,
    provider: `${pools}/${pool}/providers/tests`,
    principal,
    issuer,
    serviceAccount,
    audience,
    token: (options: Partial<TokenOptions> = {}) =>
      sandbox.issueToken(issuer, {
        subject: "workload",
        audience: `https:${audience}`,
        ...options
      })
  }
}

export type Trust = Awaited<ReturnType<typeof trust>>

interface Answer {
  readonly access_token?: string
  readonly issued_token_type?: string
  readonly token_type?: string
  readonly expires_in?: number
  readonly error?: string
  readonly error_description?: string
}

/** What a client sends to the STS, with changes; `undefined` leaves a parameter out. */
export const exchange = async (
  sandbox: Sandbox.Sandbox,
  { audience, token }: Pick<Trust, "audience" | "token">,
  changes: Readonly<Record<string, string | undefined>> = {}
) => {
  const parameters = new URLSearchParams()
  const all = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience,
    scope: "https://www.googleapis.com/auth/cloud-platform",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: "subject_token" in changes ? undefined : await token(),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    ...changes
  }
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) parameters.append(name, value)
  }
  const response = await fetch(`${sandbox.http}/v1/token`, { method: "POST", body: parameters })
  // The STS's answers are flat; the assertions fail on anything else.
  const body = (await response.json()) as Answer
  return { ...body, status: response.status }
}

/** A federated token, which must be had. */
export const federated = async (...asked: Parameters<typeof exchange>): Promise<string> => {
  const { access_token: token, error_description: problem } = await exchange(...asked)
  assert.isDefined(token, problem)
  return token
}
