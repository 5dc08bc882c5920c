/** What a person has put into a file: tokens, records, an error's text. */
import type { Pasted } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { inWords } from "./files.ts"
import { UsageError } from "./UsageError.ts"

/** Of what is pasted, in bytes. */
export const maximumSize = 256 * 1024

export const printing =
  "Take what `az ad app federated-credential list`, `aws iam get-role` or `gcloud iam workload-identity-pools providers describe` prints."

/** Of a file of records: an account's policies are many. */
const maximumRecords = 4 * 1024 * 1024

/** A text that is not too long. */
export const readPasted = Effect.fnUntraced(function* (file: string, most = maximumSize) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    (error) =>
      new UsageError({
        problem: `${file} cannot be read: ${inWords(error)}`,
        hint: "Name a file that is there; a token or an error's text can be piped in."
      })
  )
  if (text.length <= most) return text
  return yield* new UsageError({
    problem: `${file} is over ${most / 1024} KiB`,
    hint: "Take what matters out of it."
  })
})

/** A file that holds one trust record at least, or what stands around one. */
export const readRecords = Effect.fnUntraced(function* (
  file: string
): Effect.fn.Return<Pasted, UsageError, FileSystem.FileSystem> {
  const { pasted } = yield* Effect.promise(() => import("@federate/trust"))
  const record = pasted(yield* readPasted(file, maximumRecords))
  if (record.documents.length > 0) return record
  return yield* new UsageError({
    problem: `${file} holds no trust record: it is neither JSON nor YAML`,
    hint: printing
  })
})
