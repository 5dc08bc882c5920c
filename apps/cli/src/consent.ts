/** Whether a person agrees to what was shown. */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { Stopped } from "./report.ts"
import { UsageError } from "./UsageError.ts"

/** Asks on a terminal; elsewhere only `--yes` will do. A no ends the command. */
export const consent = Effect.fnUntraced(function* (yes: boolean, question: string) {
  if (yes) return
  const { stdinIsTerminal, stdoutIsTerminal } = yield* Stdio.Stdio
  if (!((yield* stdinIsTerminal) && (yield* stdoutIsTerminal))) {
    return yield* new UsageError({
      problem: "There is no terminal to ask on, and nothing was changed",
      hint: "Look at the plan above, and write --yes if it is what you want."
    })
  }
  if (!(yield* Prompt.run(Prompt.Confirm({ message: question })))) {
    return yield* new Stopped({ code: 1 })
  }
})
