import type { Sandbox } from "@federate/sandbox"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { startCloud, startJob } from "../src/github.ts"

let sandbox: Sandbox.Sandbox & AsyncDisposable

beforeEach(async () => {
  sandbox = await startCloud()
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.resetModules()
  await sandbox[Symbol.asyncDispose]()
})

/** Runs the program in a job, with other variables where they are given. */
const run = async (branch: string, more: Readonly<Record<string, string | undefined>> = {}) => {
  // Whoever runs the tests may be signed in to the real AWS.
  const variables = { ...(await startJob(sandbox, branch)), AWS_PROFILE: undefined, ...more }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  const { whoAmI } = await import("../src/whoAmI.ts")
  return [await whoAmI(), await whoAmI()]
}

it("is the role's session, for every call that the job makes", async () => {
  const session = `arn:aws:sts::${sandbox.aws.accountId}:assumed-role/federated/github-1658821493`
  expect(await run("main")).toEqual([session, session])
  expect(sandbox.count("sts.AssumeRoleWithWebIdentity")).toBe(1)
})

it("is nobody on another branch, and told what to compare", async () => {
  await expect(run("feature")).rejects.toMatchObject({
    reason: {
      _tag: "Rejected",
      code: "AccessDenied",
      hint: expect.stringContaining(':sub" = "repo:octo@583231/app@1296269:ref:refs/heads/feature"')
    }
  })
})

it("needs the permission to ask for tokens, and says so", async () => {
  await expect(
    run("main", {
      ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined
    })
  ).rejects.toThrow("id-token: write")
})

it("does not start without its role, and says which variable is not set", async () => {
  await expect(run("main", { AWS_ROLE_ARN: undefined })).rejects.toThrow(
    "flows.aws.exchanger.roleArn: the environment variable AWS_ROLE_ARN is not set"
  )
})
