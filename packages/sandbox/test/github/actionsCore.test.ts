/** GitHub's own client of a job's tokens, unmodified. */
import { getIDToken } from "@actions/core"
import { decodeJwt } from "jose"
import { afterEach, expect, it, vi } from "vitest"
import { running } from "../running.ts"

const sandbox = running({ setup: "empty" })

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

it("gives @actions/core the token that it asks for", async () => {
  // It tells the runner to hide the token, on the standard output.
  const output = vi.spyOn(process.stdout, "write").mockReturnValue(true)
  const job = sandbox().github.startJob()
  for (const [name, value] of Object.entries(job.variables)) vi.stubEnv(name, value)
  const token = await getIDToken("sts.amazonaws.com")
  output.mockRestore()
  expect(decodeJwt(token)).toMatchObject({ aud: "sts.amazonaws.com", sub: job.subject })
})

it("refuses @actions/core when the job is over", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true)
  const job = sandbox().github.startJob()
  for (const [name, value] of Object.entries(job.variables)) vi.stubEnv(name, value)
  job.end()
  await expect(getIDToken()).rejects.toThrow("Error Code : 401")
})
