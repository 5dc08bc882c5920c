import { readFile } from "node:fs/promises"
import { Sandbox } from "@federate/sandbox"
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
  vi.restoreAllMocks()
  vi.resetModules()
  distrust()
  await sandbox[Symbol.asyncDispose]()
})

it("lists applications, with one token", async () => {
  const printed = vi.spyOn(console, "log").mockReturnValue(undefined)
  await import("../src/main.ts")
  expect(printed.mock.calls).toMatchObject([
    [{ value: [{ displayName: "federate-first-journey" }] }]
  ])
  expect(sandbox.count("entra.token")).toBe(1)
})

it("does not start without its settings, and says which", async () => {
  vi.stubEnv("AZURE_TENANT_ID", undefined)
  await expect(import("../src/main.ts")).rejects.toThrow(/^entra: tenantId: /)
})

it("is what the README shows", async () => {
  const page = await readFile(new URL("../../../README.md", import.meta.url), "utf8")
  const program = await readFile(new URL("../src/main.ts", import.meta.url), "utf8")
  expect(page).toContain(`\`\`\`ts\n${program}\`\`\`\n`)
})
