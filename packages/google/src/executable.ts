/** A command that gives the assertion, by the protocol of Google's executable-sourced credentials, version 1. */
import { Misconfigured } from "@federate/core"
import type { Reason } from "@federate/core"
import { glanceAtTokenFile, readExecutableAnswer, run, timeLimit } from "@federate/local"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export interface Executable {
  /** The program's absolute path and its arguments, divided by blanks; what stands in double quotes is one. */
  readonly command: string
  /** From 5 s to 120 s. Default 30 s. */
  readonly timeoutMillis?: number | undefined
  /** Where the command keeps its answer: read first, and the command is left alone while that is good. */
  readonly outputFile?: string | undefined
  readonly audience: string
  readonly subjectTokenType: string
  /** The e-mail of the account to act as. */
  readonly serviceAccount?: string | undefined
}

const setting = "credential_source.executable"

/** Checks what can be told before the command runs, and gives what runs it. */
export const executable = (
  options: Executable
): Result.Result<Effect.Effect<Redacted.Redacted, Reason>, Misconfigured> =>
  Result.gen(function* () {
    const { outputFile, timeoutMillis = 30_000 } = options
    const [path, ...args] = (options.command.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) =>
      word.replaceAll('"', "")
    )
    if (path === undefined || !path.startsWith("/")) {
      return yield* Result.fail(
        new Misconfigured({
          setting,
          problem: "does not begin with an absolute path",
          hint: "Write the program's full path."
        })
      )
    }
    const timeout = yield* timeLimit(`${setting}.timeout_millis`, timeoutMillis)
    const ran = Effect.flatMap(
      run({ setting, path, args, env: variables(options), timeout }),
      read(outputFile !== undefined)
    )
    return outputFile === undefined
      ? ran
      : glanceAtTokenFile({ setting: `${setting}.output_file`, path: outputFile }).pipe(
          Effect.flatMap(read(true)),
          Effect.catch(() => ran)
        )
  })

const variables = ({ audience, outputFile, serviceAccount, subjectTokenType }: Executable) => ({
  GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience,
  GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: subjectTokenType,
  GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: "0",
  ...(serviceAccount !== undefined && {
    GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: serviceAccount
  }),
  ...(outputFile !== undefined && { GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE: outputFile })
})

/** @param ends whether it must say when it ends: an answer that is kept must */
const read = (ends: boolean) => (text: Redacted.Redacted) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fromResult(
      readExecutableAnswer(text, {
        now,
        ends,
        hint: "The command itself says no: run it by hand with the same GOOGLE_EXTERNAL_ACCOUNT_* variables."
      })
    )
  )
