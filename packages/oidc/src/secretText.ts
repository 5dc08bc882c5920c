/** A secret that stands in a setting or in a file. */
import { Misconfigured, Unavailable } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** Keys and certificate chains are far smaller. In bytes. */
const maximumSize = 64 * 1024

/**
 * A file's text, read anew each time: it may be exchanged under a running process. One that is not there is
 * `Unavailable`.
 *
 * @param setting the setting's name, for errors
 */
export const secretFile = Effect.fnUntraced(function* (setting: string, path: string) {
  const { readFile, stat } = yield* Effect.promise(() => import("node:fs/promises"))
  const unreadable = (problem: string) =>
    new Misconfigured({
      setting,
      problem: `${path} ${problem}`,
      hint: "Name a file that this process may read."
    })
  const tried = <A>(attempt: () => Promise<A>) =>
    Effect.tryPromise({
      try: attempt,
      catch: (error) =>
        error instanceof Error && "code" in error && error.code === "ENOENT"
          ? new Unavailable({ detail: `${setting}: there is no file ${path}` })
          : unreadable("cannot be read")
    })
  const found = yield* tried(() => stat(path))
  // A pipe would be waited for.
  if (!found.isFile()) return yield* Effect.fail(unreadable("is no file"))
  if (found.size > maximumSize) return yield* Effect.fail(unreadable("is too large"))
  return Redacted.make(yield* tried(() => readFile(path, "utf8")))
})
