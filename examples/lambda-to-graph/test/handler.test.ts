import { Fault, Sandbox } from "@federate/sandbox"
import { afterEach, beforeEach, expect, it, vi } from "vitest"

let sandbox: Sandbox.Sandbox & AsyncDisposable
let distrust: () => void

beforeEach(async () => {
  sandbox = await Sandbox.start()
  distrust = sandbox.trust()
  // Whoever runs the tests may be signed in to the real AWS.
  const own = { AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined }
  for (const [name, value] of Object.entries({ ...own, ...sandbox.env })) vi.stubEnv(name, value)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.resetModules()
  distrust()
  await sandbox[Symbol.asyncDispose]()
})

/** Loads the file anew, as a cold start does. */
const coldStart = async () => (await import("../src/handler.ts")).handler

const calls = () => [
  sandbox.count("cognito.GetOpenIdTokenForDeveloperIdentity"),
  sandbox.count("entra.token"),
  sandbox.count("graph.applications")
]

const applications = () => [
  { appId: sandbox.entra.clientId, displayName: "federate-first-journey" }
]

it("fetches a token once, and lists with it as often as it is invoked", async () => {
  const handler = await coldStart()
  expect(calls()).toEqual([0, 0, 0])
  expect(await handler()).toEqual(applications())
  expect(await handler()).toEqual(applications())
  expect(calls()).toEqual([1, 1, 2])
})

it("answers a 401 with one fresh token and one more try", async () => {
  const handler = await coldStart()
  sandbox.fault("graph.applications", Fault.status(401), { first: 1 })
  expect(await handler()).toEqual(applications())
  expect(calls()).toEqual([2, 2, 2])
})

it("gives up when the fresh token is refused too", async () => {
  const handler = await coldStart()
  sandbox.fault("graph.applications", Fault.status(401))
  await expect(handler()).rejects.toThrow("Microsoft Graph answered 401")
  expect(calls()).toEqual([2, 2, 2])
})

it("does not start without its settings, and says which", async () => {
  vi.stubEnv("COGNITO_IDENTITY_POOL_ID", undefined)
  await expect(coldStart()).rejects.toThrow(/^cognito: identityPoolId: /)
})
