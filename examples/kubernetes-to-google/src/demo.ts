/** Runs main.ts in a sandbox of its own, as pod.yaml's pod in a cluster that Google trusts. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Sandbox } from "@federate/sandbox"
import { environment, leaveToken, trust } from "./cluster.ts"

const volume = await mkdtemp(join(tmpdir(), "federate-"))
const file = join(volume, "token")
const sandbox = await Sandbox.start({ setup: "empty" })
try {
  await trust(sandbox)
  await leaveToken(sandbox, file)
  Object.assign(process.env, await environment(sandbox, file))
  await import("./main.ts")
} finally {
  await sandbox[Symbol.asyncDispose]()
  await rm(volume, { recursive: true })
}
