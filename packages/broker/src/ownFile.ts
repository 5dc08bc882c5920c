/** A file that is the broker's own for as long as nobody else writes it. */
import { randomBytes } from "node:crypto"
import { readFile, rename, rm, writeFile } from "node:fs/promises"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import { misconfigured } from "./ServedFlow.ts"

/**
 * Writes it whole or not at all, mode 0600: readers find the old text or the new one.
 *
 * @param setting what names the file, for the error
 */
export const replaceFile = (
  path: string,
  text: string,
  setting: string
): Effect.Effect<void, FederationError> =>
  Effect.tryPromise({
    try: async () => {
      const draft = `${path}.${randomBytes(6).toString("hex")}`
      try {
        await writeFile(draft, text, { flag: "wx", mode: 0o600 })
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
    catch: (error) =>
      misconfigured(
        setting,
        `${path} cannot be written: ${error instanceof Error && "code" in error ? String(error.code) : "unknown"}`,
        "Its folder must exist, and this process must be let write there."
      )
  })

/** Removes it, unless somebody else has written it since. */
export const removeFile = (path: string, written: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    const there = await readFile(path, "utf8").catch(() => undefined)
    if (there === written) await rm(path, { force: true })
  })
