/** A command that gives the assertion, by the protocol of Google's executable-sourced credentials, version 1. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { Malformed, Misconfigured, Rejected, Transient } from "@federate/core"
import type { Reason } from "@federate/core"
import { publicText } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { subjectTokenTypes } from "./settings.ts"

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

/** Of the command's output, in bytes. */
const maximumSize = 64 * 1024

const misconfigured = (problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** Checks what can be told before the command runs, and gives what runs it. */
export const executable = (
  options: Executable
): Result.Result<Effect.Effect<Redacted.Redacted, Reason>, Misconfigured> => {
  const { outputFile, timeoutMillis = 30_000 } = options
  const [program, ...args] = (options.command.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) =>
    word.replaceAll('"', "")
  )
  if (program === undefined || !program.startsWith("/")) {
    return misconfigured("does not begin with an absolute path", "Write the program's full path.")
  }
  if (!(timeoutMillis >= 5000 && timeoutMillis <= 120_000)) {
    return misconfigured(`has a time limit of ${timeoutMillis} ms`, "From 5000 to 120000.")
  }
  const run = start(program, args, variables(options)).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () =>
        Effect.fail(new Transient({ detail: `${program} did not answer within its time limit` }))
    }),
    Effect.flatMap((text) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.fromResult(read(text, now, outputFile !== undefined))
      )
    )
  )
  return Result.succeed(
    outputFile === undefined ? run : kept(outputFile).pipe(Effect.catch(() => run))
  )
}

const variables = ({ audience, outputFile, serviceAccount, subjectTokenType }: Executable) => ({
  GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: audience,
  GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE: subjectTokenType,
  GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE: "0",
  ...(serviceAccount !== undefined && {
    GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL: serviceAccount
  }),
  ...(outputFile !== undefined && { GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE: outputFile })
})

/** Runs the program, without a shell; it ends when nobody waits for it any more. What it prints may be secret. */
const start = (
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Effect.Effect<string, Misconfigured | Malformed> =>
  Effect.callback((resume, signal) => {
    execFile(
      program,
      args,
      {
        env: { ...process.env, ...env },
        maxBuffer: maximumSize,
        killSignal: "SIGKILL",
        signal
      },
      (error, stdout) => {
        if (error === null) return resume(Effect.succeed(stdout))
        const { code } = error
        return resume(
          Effect.fail(
            code === "ENOENT" || code === "EACCES"
              ? new Misconfigured({
                  setting,
                  problem: `${program} cannot be run (${code})`,
                  hint: "Name a program that is there and that this process may run."
                })
              : new Malformed({
                  detail: `${program} ended with ${code ?? "a signal"}; a command that has no token says so in JSON, and ends with 0`
                })
          )
        )
      }
    )
  })

/** The answer that an earlier run has left, while it is good. */
const kept = (file: string) =>
  Effect.gen(function* () {
    const text = yield* Effect.tryPromise((signal) => readFile(file, { encoding: "utf8", signal }))
    return yield* Effect.fromResult(read(text, yield* Clock.currentTimeMillis, true))
  })

const tokenTypes: ReadonlySet<unknown> = new Set(subjectTokenTypes)

/** @param ends whether it must say when it ends: an answer that is kept must */
const read = (
  text: string,
  now: number,
  ends: boolean
): Result.Result<Redacted.Redacted, Malformed | Rejected> => {
  const fail = (detail: string) =>
    Result.fail(new Malformed({ detail: `The command's answer is unusable: ${detail}` }))
  const parsed = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(parsed) || typeof parsed.success !== "object" || parsed.success === null)
    return fail("it is no JSON object")
  const answer = new Map<string, unknown>(Object.entries(parsed.success))
  if (answer.get("version") !== 1) return fail("its version is not 1")
  const expiration = answer.get("expiration_time")
  if (answer.get("success") === false) {
    return Result.fail(
      new Rejected({
        code: publicText(String(answer.get("code") ?? "no code")),
        description: publicText(String(answer.get("message") ?? "The command gave no message")),
        hint: "The command itself says no: run it by hand with the same GOOGLE_EXTERNAL_ACCOUNT_* variables.",
        remedy: "none"
      })
    )
  }
  if (answer.get("success") !== true) return fail("success is neither true nor false")
  if (!tokenTypes.has(answer.get("token_type"))) return fail("its token_type is no JWT's")
  const token = answer.get("id_token")
  if (typeof token !== "string" || token === "") return fail("id_token is absent")
  if (expiration === undefined && ends) return fail("expiration_time is absent")
  if (expiration !== undefined && !(typeof expiration === "number" && expiration * 1000 > now))
    return fail("expiration_time is unreadable or past")
  return Result.succeed(Redacted.make(token))
}
