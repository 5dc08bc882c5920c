import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { kubernetes } from "@federate/ambient"
import { Sandbox } from "@federate/sandbox"
import { Effect } from "effect"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { environment, leaveToken, readPod, trust } from "../src/cluster.ts"

let volume: string
let file: string
let sandbox: Sandbox.Sandbox & AsyncDisposable

beforeEach(async () => {
  volume = await mkdtemp(join(tmpdir(), "federate-"))
  file = join(volume, "token")
  sandbox = await Sandbox.start({ setup: "empty" })
  await trust(sandbox)
  for (const [name, value] of Object.entries(await environment(sandbox, file)))
    vi.stubEnv(name, value)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.resetModules()
  await sandbox[Symbol.asyncDispose]()
  await rm(volume, { recursive: true })
})

it("reads the project with the token of the pod's volume", async () => {
  await leaveToken(sandbox, file)
  const { readProject } = await import("../src/project.ts")
  const { projectId, projectNumber } = sandbox.google
  expect(await readProject()).toMatchObject({ projectId, projectNumber })
})

it("has a manifest that mounts the token where it is looked for, for the provider it is traded at", async () => {
  const { audience, env, file: mounted } = await readPod(sandbox)
  expect(audience).toBe(`https:${env["GOOGLE_PROVIDER"]}`)
  const source = await Effect.runPromise(kubernetes())
  await expect(Effect.runPromise(source.assertion({}))).rejects.toThrow(mounted)
})

it("lets no other account of the cluster read it", async () => {
  await leaveToken(sandbox, file, "default")
  const { readProject } = await import("../src/project.ts")
  await expect(readProject()).rejects.toThrow("Google answered 403")
})

it("is told when there is no volume", async () => {
  const { readProject } = await import("../src/project.ts")
  await expect(readProject()).rejects.toMatchObject({
    reason: { _tag: "Unavailable", hint: expect.stringContaining("projected volume") }
  })
})
