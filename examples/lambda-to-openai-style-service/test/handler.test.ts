import { Fault } from "@federate/sandbox"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { sandboxed } from "../src/sandboxed.ts"

let surroundings: Awaited<ReturnType<typeof sandboxed>>

beforeEach(async () => {
  surroundings = await sandboxed()
  // Whoever runs the tests may be signed in to the real AWS.
  const own = { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined }
  for (const [name, value] of Object.entries({ ...own, ...surroundings.env }))
    vi.stubEnv(name, value)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.resetModules()
  await surroundings[Symbol.asyncDispose]()
})

/** Loads the file anew, as a cold start does. */
const coldStart = async () => (await import("../src/handler.ts")).handler

const calls = () => {
  const { sandbox } = surroundings
  return [
    sandbox.count("sts.GetWebIdentityToken"),
    sandbox.count("services.openai"),
    sandbox.count("services.models")
  ]
}

it("exchanges an assertion once, and lists with its token as often as it is invoked", async () => {
  const handler = await coldStart()
  expect(calls()).toEqual([0, 0, 0])
  expect(await handler()).toEqual(["a-model"])
  expect(await handler()).toEqual(["a-model"])
  expect(calls()).toEqual([1, 1, 2])
})

it("answers a 401 with one fresh token and one more try", async () => {
  const handler = await coldStart()
  surroundings.sandbox.fault("services.models", Fault.status(401), { first: 1 })
  expect(await handler()).toEqual(["a-model"])
  expect(calls()).toEqual([2, 2, 2])
})

it("tells what to compare when the service does not trust the role", async () => {
  vi.stubEnv("OPENAI_AUDIENCE", "https://api.example")
  const handler = await coldStart()
  await expect(handler()).rejects.toThrow(
    /openai: authentication_error: .* subject arn:aws:iam::\d{12}:role\/\S+, audience https:\/\/api\.example/
  )
})

it("does not start without its settings, and says which", async () => {
  vi.stubEnv("OPENAI_SERVICE_ACCOUNT_ID", undefined)
  await expect(coldStart()).rejects.toThrow(/^openai: parameters\.service_account_id: /)
})
