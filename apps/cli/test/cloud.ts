/** A sandbox for a file's tests, as this process's surroundings. */
import { Sandbox } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { afterAll, assert, beforeAll, beforeEach, vi } from "@effect/vitest"

/** One for all tests of the file, trusted; each test begins without faults, and with its variables set. */
export const cloud = (options?: Options): (() => Sandbox.Sandbox) => {
  let sandbox: (Sandbox.Sandbox & AsyncDisposable) | undefined
  let distrust: (() => void) | undefined
  beforeAll(async () => {
    sandbox = await Sandbox.start(options)
    distrust = sandbox.trust()
  })
  beforeEach(() => {
    vi.unstubAllEnvs()
    sandbox?.clearFaults()
    for (const [name, value] of Object.entries(sandbox?.env ?? {})) vi.stubEnv(name, value)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    distrust?.()
    await sandbox?.[Symbol.asyncDispose]()
  })
  return () => {
    assert.isDefined(sandbox)
    return sandbox
  }
}
