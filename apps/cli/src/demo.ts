/**
 * The first journey, walked: an Amazon Cognito identity becomes a Microsoft Graph token, with no secret and no
 * certificate, against the sandbox. Everything goes through the public packages, the clouds' own clients and real HTTP.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CognitoIdentityClient, CreateIdentityPoolCommand } from "@aws-sdk/client-cognito-identity"
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam"
import { source } from "@federate/cognito"
import { Flow, RetryPolicy } from "@federate/core"
import type { FederationError } from "@federate/core"
import { exchanger } from "@federate/entra"
import type { Fetch } from "@federate/http"
import { Sandbox } from "@federate/sandbox"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { lines } from "./report.ts"
import { out } from "./style.ts"

const bold = out("bold")
const dim = out("dim")
const cyan = out("cyan")
const green = out("green")

const step = (number: number, title: string) =>
  Console.log(`\n${bold(cyan(`${number}`))} ${bold(title)}`)
const sent = (what: string) => Console.log(`  ${dim("→")} ${what}`)
const came = (what: string) => Console.log(`  ${dim("←")} ${what}`)

/** Enough of a token to know it again, and no more. */
const short = (token: string): string => `${token.slice(0, 10)}… (${token.length} characters)`

/** A body with its tokens shortened. */
const shown = (body: string): string =>
  (body.startsWith("{")
    ? body
    : JSON.stringify(Object.fromEntries(new URLSearchParams(body)))
  ).replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, short)

/** Tells each request as it leaves, and its answer as it comes back. */
const telling: Fetch = async (url, init) => {
  console.log(`  ${dim("→")} ${init.method ?? "GET"} ${url} ${shown(String(init.body))}`)
  const response = await fetch(url, init)
  console.log(`  ${dim("←")} HTTP ${response.status} ${shown(await response.clone().text())}`)
  return response
}

const json = (value: unknown): string => JSON.stringify(value)

/** What an administrator's call to Microsoft Graph answers with: an object with ids, or a list of them. */
interface GraphObject {
  readonly id: string
  readonly appId: string
  readonly appRoles: ReadonlyArray<{ readonly id: string; readonly value: string }>
  readonly value: ReadonlyArray<{ readonly displayName: string }>
}

const graphAppId = "00000003-0000-0000-c000-000000000000"

const demo = Effect.gen(function* () {
  const sandbox = yield* Sandbox.make({ setup: "empty" })
  sandbox.trust()
  // What a workload on AWS finds around it: keys of its role, and here the addresses of the stand-ins.
  Object.assign(process.env, sandbox.env)
  yield* Console.log(
    `${bold("AWS to Microsoft Graph, with no secret and no certificate")}\n${dim(`The sandbox: ${sandbox.http} (AWS), ${sandbox.https} (Entra, Graph)`)}`
  )

  const administrator = { region: sandbox.aws.region, credentials: sandbox.aws.admin }
  const graph = (method: string, path: string, body?: object) =>
    Effect.promise(async () => {
      console.log(`  ${dim("→")} ${method} ${path}${body === undefined ? "" : ` ${json(body)}`}`)
      const response = await fetch(`${sandbox.https}/v1.0${path}`, {
        method,
        headers: {
          authorization: `Bearer ${sandbox.entra.adminToken}`,
          "content-type": "application/json"
        },
        ...(body !== undefined && { body: json(body) })
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`Graph answered ${response.status}: ${text}`)
      // The sandbox's own Graph, which its tests hold to this shape.
      return {
        status: response.status,
        object: (text === "" ? {} : JSON.parse(text)) as GraphObject
      }
    })

  yield* step(1, "An identity pool in Amazon Cognito: no guests, one developer provider")
  const pool = {
    IdentityPoolName: "federate-demo",
    AllowUnauthenticatedIdentities: false,
    DeveloperProviderName: "my.dev.provider"
  }
  yield* sent(`CreateIdentityPool ${json(pool)}`)
  const made = yield* Effect.promise(() =>
    new CognitoIdentityClient(administrator).send(new CreateIdentityPoolCommand(pool))
  )
  const identityPoolId = made.IdentityPoolId ?? ""
  yield* came(`HTTP ${made.$metadata.httpStatusCode} ${json({ IdentityPoolId: identityPoolId })}`)

  yield* step(2, "An IAM policy on the workload's role: two actions, on this pool alone")
  const policy = {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:GetId"],
      Resource: `arn:aws:cognito-identity:${sandbox.aws.region}:${sandbox.aws.accountId}:identitypool/${identityPoolId}`
    }
  }
  yield* sent(`PutRolePolicy ${sandbox.aws.workload.roleName} ${json(policy)}`)
  const put = yield* Effect.promise(() =>
    new IAMClient(administrator).send(
      new PutRolePolicyCommand({
        RoleName: sandbox.aws.workload.roleName,
        PolicyName: "federate",
        PolicyDocument: json(policy)
      })
    )
  )
  yield* came(`HTTP ${put.$metadata.httpStatusCode}`)

  yield* step(3, "As the workload: a signed statement about itself, from Cognito")
  const cognito = yield* source({
    identityPoolId,
    logins: { "my.dev.provider": "my_user_id" },
    tokenDuration: "2 minutes",
    fetch: telling
  })
  const assertion = yield* cognito.assertion({})
  const { aud, exp, iat, iss, sub } = assertion.claims
  yield* Console.log(
    `  ${dim("it says")} ${json({ alg: assertion.algorithm, iss, sub, aud, lifetime: `${Number(exp) - Number(iat)} s` })}`
  )

  yield* step(4, "An app registration in Microsoft Entra, allowed to list applications")
  const application = yield* graph("POST", "/applications", { displayName: "federate-demo" })
  const { appId, id } = application.object
  yield* came(`HTTP ${application.status} ${json({ appId, id })}`)
  const principal = yield* graph("POST", "/servicePrincipals", { appId })
  yield* came(`HTTP ${principal.status} ${json({ id: principal.object.id })}`)
  const resource = yield* graph(
    "GET",
    `/servicePrincipals(appId='${graphAppId}')?$select=id,appRoles`
  )
  const role = resource.object.appRoles.find(({ value }) => value === "Application.Read.All")
  yield* came(`HTTP ${resource.status} Application.Read.All is ${role?.id}`)
  const grant = yield* graph("POST", `/servicePrincipals/${resource.object.id}/appRoleAssignedTo`, {
    principalId: principal.object.id,
    resourceId: resource.object.id,
    appRoleId: role?.id
  })
  yield* came(`HTTP ${grant.status}`)

  yield* step(5, "A federated credential on it: issuer, subject and audience, equal to the letter")
  const credentials = `/applications/${id}/federatedIdentityCredentials`
  const trust = yield* graph("POST", credentials, {
    name: "cognito",
    issuer: iss,
    subject: sub,
    audiences: [aud]
  })
  yield* came(`HTTP ${trust.status}`)

  yield* step(6, "The exchange: Cognito's statement for Entra's access token")
  const entra = yield* exchanger({
    tenantId: sandbox.entra.tenantId,
    clientId: appId,
    authorityHost: sandbox.https,
    scopes: ["https://graph.microsoft.com/.default"],
    fetch: telling
  })
  const flow = yield* Flow.make({ name: "graph", source: cognito, exchanger: entra })
  const { expiresAt, obtainedAt, token, tokenType } = yield* flow.credential()
  yield* flow.credential()
  const minutes = Math.round((expiresAt - obtainedAt) / 60_000)
  yield* Console.log(
    `  ${dim(`kept for ${minutes} min; asked for again, it came from memory without a call`)}`
  )

  yield* step(7, "And Microsoft Graph takes it")
  yield* sent("GET /v1.0/applications?$top=1")
  const answer = yield* Effect.promise(async () => {
    const response = await fetch(`${sandbox.https}/v1.0/applications?$top=1`, {
      headers: { authorization: `${tokenType} ${Redacted.value(token)}` }
    })
    // As above.
    return { status: response.status, body: (await response.json()) as GraphObject }
  })
  yield* came(
    `${bold(green(`HTTP ${answer.status}`))} ${json(answer.body.value.map(({ displayName }) => ({ displayName })))}`
  )

  yield* Console.log(
    `\n${bold(cyan("✗"))} ${bold("And a mistake: the user id where the identity's id belongs")}`
  )
  yield* graph("PATCH", `${credentials}/cognito`, { subject: "my_user_id" })
  const mistaken = yield* Flow.make({
    name: "graph",
    source: cognito,
    exchanger: entra,
    retry: RetryPolicy.none
  })
  const error: FederationError = yield* Effect.flip(mistaken.credential())
  yield* Console.log(lines(error, Date.now()).join("\n"))
}).pipe(Effect.scoped)

NodeRuntime.runMain(demo, {
  teardown: (exit, onExit) => {
    const code = exit._tag === "Success" ? 0 : 1
    onExit(code)
    process.exit(code)
  }
})
