/** The config file: read, decoded, and watched. */
import { realpathSync, readFileSync, watch } from "node:fs"
import { dirname } from "node:path"
import { ConfigError, decode } from "@federate/config"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { adapters, sections } from "./adapters.ts"

const words: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder; name it with --config FILE or $FEDERATE_CONFIG",
  EACCES: "permission is denied",
  EISDIR: "it is a folder"
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown"

/** What stands in it. */
export const read = (file: string): Effect.Effect<string, ConfigError> =>
  Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (error) => {
      const code = codeOf(error)
      const message = `cannot be read: ${words[code] ?? code}`
      return new ConfigError({ file, problems: [{ path: "", message }] })
    }
  })

export const decoded = (file: string, text: string) =>
  decode(text, {
    file,
    adapters,
    sections,
    platform: {},
    environment: (name) => process.env[name]
  })

/**
 * Runs `changed` when the file may be another one. Its folder is watched, since editors, and Kubernetes behind a link
 * (`..data`), replace files by a rename; and the folder that a link leads to.
 */
export const watched = (
  file: string,
  changed: () => void
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forEach(
    new Set([dirname(file), dirname(target(file))]),
    (folder) =>
      Effect.acquireRelease(
        Effect.try({
          try: () => watch(folder, changed),
          catch: codeOf
        }),
        (watcher) => Effect.sync(() => watcher.close())
      ).pipe(
        // A folder that goes away is no fault of ours.
        Effect.map((watcher) => watcher.on("error", changed)),
        Effect.catch((code) =>
          Effect.logWarning(
            `${folder} cannot be watched (${code}): a changed config file is read on SIGHUP alone`
          )
        )
      ),
    { discard: true }
  )

/** Where a link leads; a pipe leads nowhere. */
const target = (file: string): string => {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
