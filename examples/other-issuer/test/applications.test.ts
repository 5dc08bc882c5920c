import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { file } from "@federate/ambient"
import { Flow, RetryPolicy } from "@federate/core"
import { exchanger } from "@federate/entra"
import { Sandbox } from "@federate/sandbox"
import { Effect } from "effect"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { leaveToken, trust } from "../src/platform.ts"

let directory: string
let path: string
let sandbox: Sandbox.Sandbox & AsyncDisposable
let distrust: () => void

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "federate-"))
  path = join(directory, "token")
  sandbox = await Sandbox.start()
  distrust = sandbox.trust()
  await trust(sandbox, "my-workload")
})

afterEach(async () => {
  vi.unstubAllEnvs()
  distrust()
  await sandbox[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

it("lists applications with the token that the platform left", async () => {
  for (const [name, value] of Object.entries(sandbox.env)) vi.stubEnv(name, value)
  vi.stubEnv("AZURE_FEDERATED_TOKEN_FILE", path)
  const { listApplications } = await import("../src/applications.ts")
  await leaveToken(sandbox, path, "my-workload")
  expect(await listApplications()).toEqual([
    { appId: sandbox.entra.clientId, displayName: "federate-first-journey" }
  ])
})

/** Why there is no credential, at the first try. */
const refusal = Effect.gen(function* () {
  const flow = yield* Flow.make({
    source: yield* file({ path }),
    exchanger: yield* exchanger({
      tenantId: sandbox.entra.tenantId,
      clientId: sandbox.entra.clientId ?? "",
      authorityHost: sandbox.https,
      scopes: ["https://graph.microsoft.com/.default"]
    }),
    retry: RetryPolicy.none
  })
  return (yield* Effect.flip(flow.credential())).reason
}).pipe(Effect.scoped)

it("is told the two subjects to compare when they differ", async () => {
  await leaveToken(sandbox, path, "another-workload")
  expect(await Effect.runPromise(refusal)).toMatchObject({
    _tag: "Rejected",
    code: "AADSTS700213",
    hint: expect.stringContaining(`The token's subject is "another-workload"`)
  })
})

it("is told when there is no token", async () => {
  expect(await Effect.runPromise(refusal)).toMatchObject({
    _tag: "Unavailable",
    detail: `There is no file ${path}`
  })
})
