/** Somewhere for a file's tests to write. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"

/** A folder of its own, which goes when the file's tests have ended. */
export const folder = (): string => {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "federate-")))
  afterAll(() => rmSync(made, { recursive: true }))
  return made
}
