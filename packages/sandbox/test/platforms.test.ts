/** Flows of a `federate.yaml` from the platforms that workloads run on, against the sandbox: real HTTP, real keys, real errors. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sources } from "@federate/ambient/adapter"
import * as aws from "@federate/aws/adapter"
import { decode } from "@federate/config"
import type { AccessToken, Credential, Flow } from "@federate/core"
import * as entra from "@federate/entra/adapter"
import * as google from "@federate/google/adapter"
import { Sandbox } from "@federate/sandbox"
import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { google as googleApi, trust } from "./google/google.ts"
import { graph } from "./running.ts"

/** The flow that a config file describes, on a machine with these variables. */
const flowOf = Effect.fnUntraced(function* (
  inside: string,
  variables: Readonly<Record<string, string | undefined>>
) {
  const environment = (name: string) => variables[name]
  const { flows } = yield* decode(`flows:\n  x:\n${inside.replace(/^/gm, "    ")}`, {
    file: "federate.yaml",
    adapters: { sources, exchangers: [aws.exchanger, entra.exchanger, google.exchanger] },
    platform: { environment },
    environment
  }).pipe(Effect.orDie)
  return yield* flows.get("x")!.make()
})

/** Why a flow brings nothing, which must be that the other side said no. */
const refusalOf = Effect.fnUntraced(function* (inside: string, variables: Record<string, string>) {
  const flow = yield* flowOf(`retry: { attempts: 1, waitForTrust: 0 s }\n${inside}`, variables)
  const { reason } = yield* Effect.flip(flow.credential())
  return reason._tag === "Rejected" ? reason : assert.fail(visible(reason))
})

const tokenOf = (flow: Flow.Flow<Credential.Credential>) =>
  Effect.map(flow.credential(), (credential) =>
    // The flow's exchanger issues these.
    Redacted.value((credential as AccessToken).token)
  )

const workload = "system:serviceaccount:apps:workload"

describe("from a pod", () => {
  /** A cluster whose tokens Google takes for one account, and a pod's volume with one for whom it says. */
  const cluster = Effect.gen(function* () {
    const sandbox = yield* Sandbox.make({ setup: "empty" })
    const trusted = yield* Effect.promise(() =>
      trust(sandbox, { members: [`principal://{principal}/subject/${workload}`] })
    )
    const volume = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
      (made) => Effect.promise(() => rm(made, { recursive: true }))
    )
    const tokenFile = join(volume, "token")
    const project = (subject = workload, audience = `https:${trusted.audience}`) =>
      Effect.promise(async () => {
        // The kubelet's tokens always have a list of audiences.
        await writeFile(tokenFile, await trusted.token({ subject, audience: [audience] }))
      })
    const variables = {
      TOKEN_FILE: tokenFile,
      HTTP: sandbox.http,
      PROVIDER: trusted.audience,
      ACCOUNT: trusted.serviceAccount
    }
    return { sandbox, trusted, project, variables }
  })

  const config = `
source:
  type: kubernetes
  tokenFile: \${TOKEN_FILE}
exchanger:
  type: google
  audience: \${PROVIDER}
  serviceAccount: \${ACCOUNT}
  stsEndpoint: \${HTTP}/v1/token
  iamCredentialsEndpoint: \${HTTP}`.trim()

  it.live("to Google, as a service account", () =>
    Effect.gen(function* () {
      const { project, sandbox, trusted, variables } = yield* cluster
      yield* project()
      const flow = yield* flowOf(config, variables)
      const token = yield* tokenOf(flow)
      // It may do nothing of its own; what it is refused says that Google knows it.
      const { message } = yield* Effect.promise(() =>
        googleApi(sandbox, token).refused(403, "GET", trusted.project)
      )
      assert.match(message, /resourcemanager\.projects\.get/)
    })
  )

  it.live("and is told what differs, where it is another account or for another audience", () =>
    Effect.gen(function* () {
      const { project, variables } = yield* cluster
      yield* project("system:serviceaccount:apps:default")
      const other = yield* refusalOf(config, variables)
      assert.strictEqual(other.code, "IAM_PERMISSION_DENIED")
      assert.match(other.hint, /subject\/system:serviceaccount:apps:default/)
      yield* project(workload, "https://kubernetes.default.svc")
      const elsewhere = yield* refusalOf(config, variables)
      assert.strictEqual(elsewhere.code, "invalid_grant")
      assert.match(elsewhere.hint, /audience is https:\/\/kubernetes\.default\.svc/)
    })
  )

  it.live("to AWS, by a token that the cluster's API makes for it", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make({
        aws: { trust: { issuer: "kubernetes", subject: workload } }
      })
      const flow = yield* flowOf(
        `
source:
  type: kubernetes-token-request
  server: \${HTTP}
  token: \${TOKEN}
exchanger:
  type: aws
  region: us-east-1
  roleArn: \${AWS_ROLE_ARN}
  endpoint: \${HTTP}`.trim(),
        {
          ...sandbox.env,
          HTTP: sandbox.http,
          TOKEN: yield* Effect.promise(() =>
            sandbox.serviceAccountToken({ namespace: "apps", name: "workload" })
          )
        }
      )
      const credential = yield* flow.credential()
      assert.property(credential, "accessKeyId")
    })
  )
})

describe("from an Azure machine", () => {
  const config = `
source:
  type: azure-managed-identity
  clientId: \${IDENTITY}
exchanger:
  type: entra
  tenantId: \${AZURE_TENANT_ID}
  clientId: \${AZURE_CLIENT_ID}
  authorityHost: \${HTTP}
  scopes: [https://graph.microsoft.com/.default]`.trim()

  it.live("to Entra as an application, and into Microsoft Graph", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.make()
      const identity = sandbox.assignManagedIdentity()
      const path = `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`
      yield* Effect.promise(() =>
        graph(sandbox).create(path, {
          name: "machine",
          issuer: identity.issuer,
          subject: identity.principalId,
          audiences: ["api://AzureADTokenExchange"]
        })
      )
      const variables = {
        ...sandbox.env,
        HTTP: sandbox.http,
        AZURE_POD_IDENTITY_AUTHORITY_HOST: sandbox.http,
        IDENTITY: identity.clientId
      }
      const token = yield* Effect.flatMap(flowOf(config, variables), tokenOf)
      const { value } = yield* Effect.promise(() => graph(sandbox, token).get("applications"))
      assert.propertyVal(value, "length", 1)
      const unassigned = yield* refusalOf(config, {
        ...variables,
        IDENTITY: "00000000-0000-0000-0000-000000000001"
      })
      assert.strictEqual(unassigned.code, "invalid_request")
      assert.match(unassigned.hint, /`az vm identity show`/)
    })
  )
})

describe("from a CI system", () => {
  const exchanger = `
exchanger:
  type: entra
  tenantId: \${AZURE_TENANT_ID}
  clientId: \${AZURE_CLIENT_ID}
  authorityHost: \${HTTP}
  scopes: [https://graph.microsoft.com/.default]`
  const audience = "api://AzureADTokenExchange"

  /** A sandbox whose application trusts one subject of an issuer. */
  const trusting = Effect.fnUntraced(function* (issuer: string, subject: string) {
    const sandbox = yield* Sandbox.make()
    const path = `applications(appId='${sandbox.entra.clientId}')/federatedIdentityCredentials`
    const record = {
      name: "job",
      issuer: sandbox.issuerUrl(issuer),
      subject,
      audiences: [audience]
    }
    yield* Effect.promise(() => graph(sandbox).create(path, record))
    return { sandbox, variables: { ...sandbox.env, HTTP: sandbox.http } }
  })

  const github = `source: { type: github-actions }${exchanger}`

  it.live("GitHub's job gets to Entra by its environment, with the ids or without them", () =>
    Effect.gen(function* () {
      for (const [subject, change] of [
        ["repo:octo@583231/app@1296269:environment:prod", undefined],
        ["repo:octo/app:environment:prod", { use_default: true, use_immutable_subject: false }]
      ] as const) {
        const { sandbox, variables } = yield* trusting("github", subject)
        const job = sandbox.github.startJob({ repository: "octo/app", environment: "prod" })
        if (change !== undefined) {
          const url = `${sandbox.http}/repos/octo/app/actions/oidc/customization/sub`
          const headers = { authorization: `Bearer ${sandbox.github.token}` }
          const body = JSON.stringify(change)
          const { status } = yield* Effect.promise(() =>
            fetch(url, { method: "PUT", headers, body })
          )
          assert.strictEqual(status, 201)
        }
        const flow = yield* flowOf(github, { ...variables, ...job.variables })
        const token = yield* tokenOf(flow)
        const { value } = yield* Effect.promise(() => graph(sandbox, token).get("applications"))
        assert.propertyVal(value, "length", 1)
        assert.strictEqual(sandbox.count("github.idToken"), 1)
      }
    })
  )

  it.live("GitHub's job is told the two subjects where the trust has the other form", () =>
    Effect.gen(function* () {
      const { sandbox, variables } = yield* trusting("github", "repo:octo/app:environment:prod")
      const job = sandbox.github.startJob({ repository: "octo/app", environment: "prod" })
      const { code, hint } = yield* refusalOf(github, { ...variables, ...job.variables })
      assert.strictEqual(code, "AADSTS700213")
      assert.include(hint, '"repo:octo@583231/app@1296269:environment:prod"')
      job.end()
      const over = yield* refusalOf(github, { ...variables, ...job.variables })
      assert.strictEqual(over.code, "HTTP 401")
      assert.match(over.hint, /`permissions: id-token: write`/)
    })
  )

  it.live("GitLab's job gets to Entra by the token under its own name", () =>
    Effect.gen(function* () {
      const subject = "project_path:group/project:ref_type:branch:ref:main"
      const { sandbox, variables } = yield* trusting("gitlab", subject)
      const token = yield* Effect.promise(() => sandbox.issueToken("gitlab", { subject, audience }))
      const flow = yield* flowOf(`source: { type: gitlab, variable: ENTRA_TOKEN }${exchanger}`, {
        ...variables,
        ENTRA_TOKEN: token
      })
      assert.isNotEmpty(yield* tokenOf(flow))
    })
  )

  it.live("whatever signs gets to Entra through a program, if the machine lets it", () =>
    Effect.gen(function* () {
      const subject = "anybody"
      const { sandbox, variables } = yield* trusting("script", subject)
      const token = yield* Effect.promise(() => sandbox.issueToken("script", { subject, audience }))
      const config = `source: { type: executable, command: [/bin/echo, "\${TOKEN}"] }${exchanger}`
      const told = yield* Effect.flip(flowOf(config, { ...variables, TOKEN: token }))
      assert.match(told.message, /FEDERATE_ALLOW_EXECUTABLES=1/)
      const flow = yield* flowOf(config, {
        ...variables,
        TOKEN: token,
        FEDERATE_ALLOW_EXECUTABLES: "1"
      })
      assert.isNotEmpty(yield* tokenOf(flow))
    })
  )
})
