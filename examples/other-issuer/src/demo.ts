/** Runs main.ts in a sandbox of its own, where a platform leaves a token and an administrator trusts it. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Sandbox } from "@federate/sandbox"
import { leaveToken, trust } from "./platform.ts"

const directory = await mkdtemp(join(tmpdir(), "federate-"))
const file = join(directory, "token")
const sandbox = await Sandbox.start()
try {
  sandbox.trust()
  Object.assign(process.env, sandbox.env, { AZURE_FEDERATED_TOKEN_FILE: file })
  await trust(sandbox, "my-workload")
  await leaveToken(sandbox, file, "my-workload")
  await import("./main.ts")
} finally {
  await sandbox[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
}
