/** Programs for tests: short scripts of the shell, in files of their own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"

/** A program that is there as long as the scope; its path. */
export const program = (script: string) =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "federate "))),
      (made) => Effect.promise(() => rm(made, { recursive: true }))
    )
    const file = join(directory, "program")
    yield* Effect.promise(() => writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o700 }))
    return file
  })
