/**
 * A sandbox, a broker made of a `federate.yaml` before it, and unmodified clients as processes of their own that know
 * nothing but the broker's variables.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { RequestListener, Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import {
  CognitoIdentityClient,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import * as config from "@federate/broker/config"
import * as cognito from "@federate/cognito/adapter"
import { decode } from "@federate/config"
import * as entra from "@federate/entra/adapter"
import { Sandbox } from "@federate/sandbox"
import { assert, vi } from "@effect/vitest"
import { Effect } from "effect"
import { afterAll, beforeAll } from "vitest"
import { serving } from "../serving.ts"

/** A client takes as long to start as its language and its SDK do. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

export const resource = "https://graph.microsoft.com"
export const scope = `${resource}/.default`

/** An identity that the broker serves, and Entra trusts nobody for. */
export const stranger = "99999999-0000-4000-8000-000000000000"

/**
 * A sandbox for all tests of the file, from before the first until after the last. The pool has a role for who comes with
 * its tokens, and this process has the keys that the pool's tokens are asked for with, as a workload on AWS would.
 */
export const cloud = (): (() => Sandbox.Sandbox & { readonly folder: string }) => {
  const folder = mkdtempSync(join(tmpdir(), "federate-"))
  let sandbox: (Sandbox.Sandbox & AsyncDisposable) | undefined
  beforeAll(async () => {
    sandbox = await Sandbox.start({ directory: folder })
    const { admin, region, workload } = sandbox.aws
    await new CognitoIdentityClient({
      endpoint: sandbox.http,
      region,
      credentials: { ...admin }
    }).send(
      new SetIdentityPoolRolesCommand({
        IdentityPoolId: sandbox.env["COGNITO_IDENTITY_POOL_ID"],
        Roles: { authenticated: workload.roleArn }
      })
    )
    vi.stubEnv("AWS_ACCESS_KEY_ID", workload.accessKeyId)
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", workload.secretAccessKey)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await sandbox?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  return () => {
    assert.isDefined(sandbox)
    return { ...sandbox, folder }
  }
}

const flow = (userId: string, exchanger?: string): string => `
    source:
      type: cognito
      identityPoolId: \${COGNITO_IDENTITY_POOL_ID}
      logins: { my.dev.provider: ${userId} }
      endpoint: \${SANDBOX}${
        exchanger === undefined
          ? ""
          : `
    exchanger: ${exchanger}`
      }`

const toEntra =
  '{ type: entra, tenantId: "${AZURE_TENANT_ID}", clientId: "${AZURE_CLIENT_ID}", authorityHost: "${SANDBOX}", scopes: [https://graph.microsoft.com/.default] }'

const toCognito = (customRoleArn?: string): string =>
  `{ type: cognito, identityPoolId: "\${COGNITO_IDENTITY_POOL_ID}", endpoint: "\${SANDBOX}"${
    customRoleArn === undefined ? "" : `, customRoleArn: "${customRoleArn}"`
  } }`

const flows = `
flows:
  graph:${flow("my_user_id", toEntra)}
  stranger:${flow("somebody_else", toEntra)}
  keys:${flow("my_user_id", toCognito())}
  another-role:${flow("my_user_id", toCognito("arn:aws:iam::111122223333:role/another"))}
  workload:${flow("my_user_id")}
`

/** What most tests have under `broker:`. */
const usual = `
  azure:
    resources:
      ${resource}: graph
    identities:
      ${stranger}: stranger
  gce:
    flow: graph
    email: workload@project.iam.gserviceaccount.com
    projectId: my-project
    numericProjectId: "123456789012"
    universeDomain: googleapis.com
  aws: { flow: keys, region: us-east-1 }
`

/** A broker of a `federate.yaml`, on a port of its own; it hears nobody any more when the scope closes. */
export const brokerOf = Effect.fnUntraced(function* (
  sandbox: Sandbox.Sandbox & { readonly folder: string },
  section = usual
) {
  const environment: Readonly<Record<string, string | undefined>> = {
    ...sandbox.env,
    SANDBOX: sandbox.http,
    FOLDER: sandbox.folder
  }
  const { flows: definitions, sections } = yield* decode(`${flows}\nbroker:${section}`, {
    file: "federate.yaml",
    adapters: { sources: [cognito.source], exchangers: [cognito.exchanger, entra.exchanger] },
    platform: { fetch: undefined },
    environment: (name) => environment[name],
    sections: { broker: config.section }
  })
  const served = yield* Effect.forEach(definitions.values(), config.serve)
  return yield* serving(served, sections.broker)
})

export interface Got {
  /** A token, or AWS's session token. */
  readonly token?: string
  /** What the client printed in its place. */
  readonly error?: string
  /** Epoch seconds. */
  readonly expiresOn?: number
  readonly [more: string]: unknown
}

/** An environment. */
export type Variables = Readonly<Record<string, string>>

/** A program that lives on nothing but these variables: it finds no other program, and nobody's settings. */
const nothing = { HOME: "/nonexistent", PATH: "/nonexistent", PYTHONDONTWRITEBYTECODE: "1" }

const start = (file: string, args: ReadonlyArray<string>, variables: Variables) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(file, args, { env: { ...nothing, ...variables } })),
    (child) => Effect.sync(() => child.kill())
  )

/** The path of a script beside this file. */
export const beside = (script: string): string => fileURLToPath(new URL(script, import.meta.url))

/** A script of ours around a client: it asks whenever it is told to, with the memory that the client has. */
export const client = Effect.fnUntraced(function* (
  script: string,
  args: ReadonlyArray<string>,
  variables: Variables
) {
  const file = script.endsWith(".py") ? "/usr/bin/python3" : process.execPath
  const child = yield* start(file, [beside(script), ...args], variables)
  let said = ""
  child.stderr.on("data", (chunk) => (said += String(chunk)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = Effect.promise(async (): Promise<Got> => {
    child.stdin.write("\n")
    const { done, value } = await lines.next()
    assert.isFalse(done, said)
    // The scripts print what `Got` says.
    return JSON.parse(String(value)) as Got
  })
  return { ask }
})

/** The same for one that asks once. */
export const once = (...asked: Parameters<typeof client>): Effect.Effect<Got> =>
  Effect.scoped(Effect.flatMap(client(...asked), ({ ask }) => ask))

/** What a program of somebody else's printed, and whether it was content. */
export const output = (file: string, args: ReadonlyArray<string>, variables: Variables) =>
  Effect.scoped(
    Effect.gen(function* () {
      const child = yield* start(file, args, variables)
      child.stdin.end()
      return yield* Effect.callback<{ code: number | null; stdout: string; stderr: string }>(
        (resume) => {
          let stdout = ""
          let stderr = ""
          child.stdout.on("data", (chunk) => (stdout += String(chunk)))
          child.stderr.on("data", (chunk) => (stderr += String(chunk)))
          child.once("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
        }
      )
    })
  )

/** A server of the test's own, on a free port of loopback. */
export const listening = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer(listener)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(
    Effect.map((server) => {
      const { port } = server.address() as AddressInfo // a server that listens has one
      return `http://127.0.0.1:${port}`
    })
  )

export const sha256 = (text: string | undefined): string =>
  createHash("sha256")
    .update(text ?? "")
    .digest("hex")

/** Reads an application from Graph, as whoever the token says. */
export const readGraph = (sandbox: Sandbox.Sandbox, token: string | undefined) =>
  Effect.promise(async () => {
    const response = await fetch(`${sandbox.http}/v1.0/applications?$top=1`, {
      headers: { authorization: `Bearer ${token}` }
    })
    // Graph's answer, a list when it let the caller in.
    const { value } = (await response.json()) as { readonly value?: ReadonlyArray<unknown> }
    assert.lengthOf(value ?? [], 1)
  })
