import { Fault } from "@federate/sandbox"
import type { JobOptions, RunningJob } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose"
import { running } from "../running.ts"

const sandbox = running({ setup: "empty" })

const start = (options?: JobOptions): RunningJob => sandbox().github.startJob(options)

/** What a job asks, as it is told to by its variables. */
const ask = async (
  { variables }: RunningJob,
  {
    audience,
    token = variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "",
    url = variables["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? ""
  }: {
    readonly audience?: string
    readonly token?: string
    readonly url?: string
  } = {}
) => {
  const asked = new URL(url)
  if (audience !== undefined) asked.searchParams.set("audience", audience)
  const response = await fetch(asked, { headers: { authorization: `Bearer ${token}` } })
  // As GitHub documents it.
  const body = (await response.json()) as { readonly value?: string; readonly message?: string }
  return { status: response.status, value: body.value ?? "", message: body.message }
}

const subjectOf = async (job: RunningJob) => decodeJwt((await ask(job)).value).sub

/** The repository's settings, by the REST API. */
const settings = async (repository: string, change?: unknown, token = sandbox().github.token) => {
  const response = await fetch(
    `${sandbox().http}/repos/${repository}/actions/oidc/customization/sub`,
    {
      headers: { authorization: `Bearer ${token}` },
      ...(change !== undefined && { method: "PUT", body: JSON.stringify(change) })
    }
  )
  return { status: response.status, body: (await response.json()) as unknown }
}

describe("a GitHub job", () => {
  it("is given tokens that verify by the issuer's keys, for whom it asks", async () => {
    const job = start({ repository: "octo/app", environment: "prod" })
    const { value } = await ask(job, { audience: "api://AzureADTokenExchange" })
    const { github, http, https } = sandbox()
    const { payload } = await jwtVerify(
      value,
      createRemoteJWKSet(new URL(`${github.issuer.replace(https, http)}/keys`)),
      { issuer: github.issuer, audience: "api://AzureADTokenExchange", algorithms: ["RS256"] }
    )
    assert.strictEqual(payload.sub, job.subject)
    assert.strictEqual((payload.exp ?? 0) - (payload.iat ?? 0), 300)
    assert.deepInclude(payload, {
      repository: "octo/app",
      repository_owner: "octo",
      repository_id: "1296269",
      repository_owner_id: "583231",
      environment: "prod",
      ref: "refs/heads/main",
      ref_type: "branch",
      event_name: "push",
      run_id: job.variables["GITHUB_RUN_ID"],
      workflow_ref: "octo/app/.github/workflows/deploy.yml@refs/heads/main"
    })
    assert.notStrictEqual(payload.jti, decodeJwt((await ask(job)).value).jti)
    assert.strictEqual(decodeJwt((await ask(job)).value).aud, "https://github.com/octo")
  })

  it("is told by its environment, its pull request, its branch or its tag", async () => {
    const app = "repo:octo@583231/app@1296269"
    for (const [options, subject] of [
      [{}, `${app}:ref:refs/heads/main`],
      [{ ref: "refs/tags/v1" }, `${app}:ref:refs/tags/v1`],
      [{ event: "pull_request" }, `${app}:pull_request`],
      [{ environment: "prod" }, `${app}:environment:prod`],
      [{ environment: "a:b", event: "pull_request" }, `${app}:environment:a%3Ab`]
    ] as const)
      assert.strictEqual(await subjectOf(start({ repository: "octo/app", ...options })), subject)
    const next = start({ repository: "octo/lib" })
    assert.strictEqual(next.subject, "repo:octo@583231/lib@1296270:ref:refs/heads/main")
  })

  it("is told by names alone in a repository that is set so, or by claims that it has chosen", async () => {
    const job = start({ repository: "Old/Repo", environment: "prod" })
    assert.match(job.subject, /^repo:Old@\d+\/Repo@\d+:environment:prod$/)
    const immutable = {
      use_default: true,
      use_immutable_subject: true,
      sub_claim_prefix: job.subject.replace(":environment:prod", "")
    }
    assert.deepStrictEqual(await settings("old/repo"), { status: 200, body: immutable })
    const classic = { use_default: true, use_immutable_subject: false }
    assert.strictEqual((await settings("old/repo", classic)).status, 201)
    assert.strictEqual(await subjectOf(job), "repo:Old/Repo:environment:prod")
    const chosen = {
      use_default: false,
      include_claim_keys: ["repository_owner", "job_workflow_ref"]
    }
    assert.strictEqual((await settings("old/repo", chosen)).status, 201)
    assert.strictEqual(
      await subjectOf(job),
      "repository_owner:Old:job_workflow_ref:Old/Repo/.github/workflows/deploy.yml@refs/heads/main"
    )
    assert.deepStrictEqual((await settings("old/repo")).body, {
      ...chosen,
      use_immutable_subject: false,
      sub_claim_prefix: "repo:Old/Repo"
    })
    await settings("old/repo", { use_default: false, include_claim_keys: ["repo", "context"] })
    assert.strictEqual(await subjectOf(job), "repo:Old/Repo:environment:prod")
  })

  it("has no way to ask without the permission", () => {
    const { variables } = start({ permissions: { contents: "read" } })
    assert.notProperty(variables, "ACTIONS_ID_TOKEN_REQUEST_URL")
    assert.notProperty(variables, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    assert.propertyVal(variables, "GITHUB_ACTIONS", "true")
  })

  it("is refused with a token that is none, or another job's, or its own when it is over", async () => {
    const [job, other] = [start(), start()]
    const token = other.variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? ""
    assert.strictEqual((await ask(job, { token: "" })).status, 401)
    assert.strictEqual((await ask(job, { token: "guessed" })).status, 401)
    assert.strictEqual((await ask(job, { token })).status, 403)
    const url = (job.variables["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "").replace(/\?.*$/, "")
    assert.strictEqual((await ask(job, { url })).status, 400)
    assert.strictEqual((await ask(job)).status, 200)
    job.end()
    assert.strictEqual((await ask(job)).status, 401)
    assert.strictEqual((await ask(other)).status, 200)
  })

  it("meets faults in GitHub's words, and is counted", async () => {
    const before = sandbox().count("github.idToken")
    const lift = sandbox().fault("github.idToken", Fault.throttled())
    const { message, status } = await ask(start())
    lift()
    assert.strictEqual(status, 429)
    assert.isString(message)
    assert.strictEqual(sandbox().count("github.idToken"), before + 1)
  })
})

describe("GitHub's REST API", () => {
  it("is for who may, about repositories that are there, in the words that it knows", async () => {
    start({ repository: "octo/app" })
    const status = async (...call: Parameters<typeof settings>) => (await settings(...call)).status
    assert.strictEqual(await status("octo/app", undefined, ""), 401)
    assert.strictEqual(await status("octo/app", undefined, "ghp_other"), 401)
    assert.strictEqual(await status("octo/none"), 404)
    assert.strictEqual(await status("octo/app", "text"), 400)
    for (const change of [
      {},
      { use_default: "no" },
      { use_default: false, include_claim_keys: ["no_such_claim"] },
      { use_default: true, use_immutable_subject: "no" }
    ])
      assert.strictEqual(await status("octo/app", change), 422)
    assert.strictEqual(await status("octo/app"), 200)
  })
})
