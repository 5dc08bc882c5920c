import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  DescribeIdentityPoolCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
  ListIdentityPoolsCommand
} from "@aws-sdk/client-cognito-identity"
import { Sandbox, SandboxError } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { decodeJwt } from "jose"
import { cognitoClient, refusal, token } from "./aws.ts"
import { graph, running } from "./running.ts"

const exchange = async (
  sandbox: Sandbox.Sandbox,
  clientId = sandbox.entra.clientId,
  assertion?: string
) => {
  const response = await fetch(`${sandbox.http}/${sandbox.entra.tenantId}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId ?? "",
      scope: "https://graph.microsoft.com/.default",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion ?? (await token(sandbox))
    })
  })
  // Entra's answers; the tests say which members they expect.
  return (await response.json()) as {
    readonly access_token?: string
    readonly error_codes?: ReadonlyArray<number>
  }
}

describe("the first journey", () => {
  const sandbox = running()

  it("works at once: AWS, Entra, Graph", async () => {
    const { access_token = "" } = await exchange(sandbox())
    const { value } = await graph(sandbox(), access_token).get("applications?$top=1")
    assert.lengthOf(Array.isArray(value) ? value : [], 1)
  })

  it("gives the workload no more than it needs", async () => {
    const workload = cognitoClient(sandbox(), { keys: sandbox().aws.workload })
    const IdentityPoolId = sandbox().env["COGNITO_IDENTITY_POOL_ID"]
    const denied = [
      workload.send(new DescribeIdentityPoolCommand({ IdentityPoolId })),
      workload.send(new ListIdentityPoolsCommand({ MaxResults: 1 }))
    ]
    assert.deepEqual(
      (await Promise.all(denied.map(refusal))).map(({ name }) => name),
      ["AccessDeniedException", "AccessDeniedException"]
    )
    const { access_token = "" } = await exchange(sandbox())
    const body = { displayName: "x" }
    const { code } = await graph(sandbox(), access_token).refused(403, "POST", "applications", body)
    assert.strictEqual(code, "Authorization_RequestDenied")
  })

  it("tells clients what they need, and no more", () => {
    const { env, http, https } = sandbox()
    assert.hasAllKeys(env, [
      "AWS_ENDPOINT_URL_COGNITO_IDENTITY",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
      "AWS_ENDPOINT_URL_IAM",
      "AWS_ENDPOINT_URL_STS",
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
      "AZURE_AUTHORITY_HOST",
      "AZURE_TENANT_ID",
      "AZURE_CLIENT_ID",
      "COGNITO_IDENTITY_POOL_ID",
      "GRAPH_BASE_URL",
      "FEDERATE_SANDBOX_ADMIN_TOKEN",
      "FEDERATE_SANDBOX_ADMIN_ACCESS_KEY_ID",
      "FEDERATE_SANDBOX_ADMIN_SECRET_ACCESS_KEY"
    ])
    assert.strictEqual(env["AWS_ENDPOINT_URL_STS"], http)
    assert.strictEqual(env["AZURE_AUTHORITY_HOST"], https)
    assert.strictEqual(env["GRAPH_BASE_URL"], https)
    assert.match(http, /^http:\/\/localhost:\d+$/)
    assert.match(https, /^https:\/\/localhost:\d+$/)
  })
})

describe("an empty sandbox", () => {
  const sandbox = running({ setup: "empty", region: "eu-central-1" })

  it("has accounts, and nothing in them", async () => {
    assert.notProperty(sandbox().env, "AZURE_CLIENT_ID")
    assert.notProperty(sandbox().env, "COGNITO_IDENTITY_POOL_ID")
    assert.notProperty(sandbox().entra, "clientId")
    assert.deepEqual((await graph(sandbox()).get("applications"))["value"], [])
    const admin = cognitoClient(sandbox())
    const { IdentityPools } = await admin.send(new ListIdentityPoolsCommand({ MaxResults: 1 }))
    assert.deepEqual(IdentityPools, [])
    assert.strictEqual(sandbox().env["AWS_REGION"], "eu-central-1")
  })

  it("lets the workload do nothing yet", async () => {
    const call = cognitoClient(sandbox(), { keys: sandbox().aws.workload }).send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: "eu-central-1:00000000-0000-4000-8000-000000000000",
        Logins: { x: "y" }
      })
    )
    assert.deepInclude(await refusal(call), { name: "AccessDeniedException" })
  })
})

describe("propagation", () => {
  it.effect("hides what was made less than so long ago from the token endpoint", () =>
    Effect.gen(function* () {
      const start = Date.now()
      // AWS's SDK signs by the machine's clock.
      yield* TestClock.setTime(start)
      const sandbox = yield* Sandbox.make({ entra: { propagation: "1 minute" } })
      const admin = graph(sandbox)
      const jwt = yield* Effect.promise(() => token(sandbox))
      const { iss = "", sub = "", aud = "" } = decodeJwt(jwt)
      const app = yield* Effect.promise(() => admin.create("applications", { displayName: "new" }))
      const appId = `${app["appId"]}`
      const code = Effect.map(
        Effect.promise(() => exchange(sandbox, appId)),
        (answer) => answer.error_codes?.[0]
      )

      assert.strictEqual(yield* code, 700016)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* code, 7000229)

      yield* Effect.promise(() => admin.create("servicePrincipals", { appId }))
      assert.strictEqual(yield* code, 7000229)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* code, 70025)

      yield* Effect.promise(() =>
        admin.create(`applications/${app["id"]}/federatedIdentityCredentials`, {
          name: "one",
          issuer: iss,
          subject: sub,
          audiences: [aud]
        })
      )
      assert.strictEqual(yield* code, 70025)
      yield* TestClock.adjust("1 minute")
      const roles = Effect.map(
        Effect.promise(() => exchange(sandbox, appId)),
        ({ access_token = "" }) => decodeJwt(access_token)["roles"]
      )
      const principal = yield* Effect.promise(() =>
        admin.get(`servicePrincipals(appId='${appId}')`)
      )
      const resource = yield* Effect.promise(() =>
        admin.get("servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")
      )
      yield* Effect.promise(() =>
        admin.create(`servicePrincipals/${resource["id"]}/appRoleAssignedTo`, {
          principalId: principal["id"],
          resourceId: resource["id"],
          appRoleId: "df021288-bdef-4463-88db-98f22de89214"
        })
      )
      assert.isUndefined(yield* roles)
      sandbox.propagation(0)
      assert.deepEqual(yield* roles, ["User.Read.All"])

      // What was there from the start was never hidden.
      sandbox.propagation("1 day")
      const { access_token = "" } = yield* Effect.promise(() => exchange(sandbox))
      assert.deepEqual(decodeJwt(access_token)["roles"], ["Application.Read.All"])
    })
  )
})

describe("the CA's file", () => {
  it("is written where it is asked for, and clients are told", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sandbox-"))
    const inside = join(directory, "a", "b")
    await using sandbox = await Sandbox.start({ setup: "empty", directory: inside })
    assert.strictEqual(sandbox.caFile, join(inside, "ca.pem"))
    assert.strictEqual(sandbox.env["NODE_EXTRA_CA_CERTS"], sandbox.caFile)
    assert.strictEqual(await readFile(sandbox.caFile ?? "", "utf8"), sandbox.caPem)
    await rm(directory, { recursive: true })
  })

  it("stops the start when it cannot be written", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sandbox-"))
    const file = join(directory, "file")
    await writeFile(file, "")
    const error: unknown = await Sandbox.start({ directory: file }).catch(
      (reason: unknown) => reason
    )
    assert.instanceOf(error, SandboxError)
    assert.match(error.message, /Cannot write ca\.pem into/)
    await rm(directory, { recursive: true })
  })
})

describe("an issuer that is stood in for elsewhere", () => {
  it("is found by the map from issuers to where they are", async () => {
    const issuer = "https://cognito-identity.amazonaws.com"
    await using aws = await Sandbox.start({ cognito: { issuer } })
    await using azure = await Sandbox.start({ setup: "empty", issuers: { [issuer]: aws.http } })
    const jwt = await token(aws)
    const { aud, sub } = decodeJwt(jwt)
    const admin = graph(azure)
    const app = await admin.create("applications", { displayName: "across" })
    await admin.create("servicePrincipals", { appId: app["appId"] })
    await admin.create(`applications/${app["id"]}/federatedIdentityCredentials`, {
      name: "across",
      issuer,
      subject: sub,
      audiences: [aud]
    })
    const { access_token = "" } = await exchange(azure, `${app["appId"]}`, jwt)
    assert.strictEqual(decodeJwt(access_token)["appid"], app["appId"])
    assert.strictEqual(aws.count("cognito.keys"), 1)
  })
})
