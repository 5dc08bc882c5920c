/** What is piped in. */
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { inWords } from "./files.ts"
import { UsageError } from "./UsageError.ts"

/**
 * As much as can matter: what goes on for ever is not read for ever.
 *
 * @param enough in bytes
 */
export const piped = Effect.fnUntraced(function* (enough: number) {
  const { stdin } = yield* Stdio.Stdio
  let size = 0
  return yield* stdin.pipe(
    Stream.takeUntil((chunk) => (size += chunk.length) > enough),
    Stream.decodeText(),
    Stream.mkString,
    Effect.mapError(
      (error) =>
        new UsageError({
          problem: `Standard input cannot be read: ${inWords(error)}`,
          hint: "Name it in its place."
        })
    )
  )
})
