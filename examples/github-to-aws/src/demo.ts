/** Runs main.ts in a sandbox of its own, as the job of workflow.yaml that AWS trusts. */
import { startCloud, startJob } from "./github.ts"

const sandbox = await startCloud()
try {
  Object.assign(process.env, await startJob(sandbox))
  await import("./main.ts")
} finally {
  await sandbox[Symbol.asyncDispose]()
}
