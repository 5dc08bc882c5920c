/** The one guarded child process: no shell, bounded in time and output, and gone with all that it has started. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { Malformed, Misconfigured, Transient } from "@federate/core"
import { platformEnvironment } from "@federate/http"
import type { Environment } from "@federate/http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export interface Program {
  /** What names the program, for errors. */
  readonly setting: string
  /** Its absolute path; or its name alone, which is looked for in `PATH`. */
  readonly path: string
  readonly args?: ReadonlyArray<string> | undefined
  /** Variables besides the process's own. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** How long it may take. Default 30 s. */
  readonly timeout?: Duration.Input | undefined
}

const permission = "FEDERATE_ALLOW_EXECUTABLES"

/**
 * Whether a config file may have programs run: only where `FEDERATE_ALLOW_EXECUTABLES=1` says so, since a file that lies
 * in a folder is data, and must not become a command of whoever stands in that folder.
 */
export const executablesAllowed = (
  setting: string,
  environment: Environment = platformEnvironment
): Result.Result<void, Misconfigured> =>
  environment(permission) === "1"
    ? Result.void
    : Result.fail(
        new Misconfigured({
          setting,
          problem: "is a program, and a config file's are not run unasked",
          hint: `Read what it does, and set ${permission}=1.`
        })
      )

/** Of its output, in bytes: no token comes near it. */
const maximumSize = 64 * 1024

/** How long a program may be given to take, in seconds; Google's own libraries have the same bounds. */
const shortest = 5
const longest = 120

/** A time limit within 5 s and 120 s. */
export const timeLimit = (
  setting: string,
  input: Duration.Input
): Result.Result<Duration.Duration, Misconfigured> => {
  const duration = Duration.fromInputUnsafe(input)
  const seconds = Duration.toSeconds(duration)
  return seconds >= shortest && seconds <= longest
    ? Result.succeed(duration)
    : Result.fail(
        new Misconfigured({
          setting,
          problem: `is ${seconds} s`,
          hint: `From ${shortest} s to ${longest} s.`
        })
      )
}

/**
 * What the program prints, without blanks and ends of lines around it, when it has ended well. It gets no input; what it prints for people (standard error) is
 * thrown away, since nobody knows what is in it. Whatever happens, its whole process group is killed with it: on Windows
 * the program alone. Too slow is `Transient`; too much output, and an end with another code than 0, are `Malformed`; what
 * cannot be run is `Misconfigured`.
 */
export const run = ({
  timeout = "30 seconds",
  ...program
}: Program): Effect.Effect<Redacted.Redacted, Misconfigured | Transient | Malformed> =>
  Effect.timeoutOrElse(output(program), {
    duration: timeout,
    orElse: () =>
      Effect.fail(new Transient({ detail: `${program.path} did not answer within its time limit` }))
  })

const output = ({ args = [], env, path, setting }: Omit<Program, "timeout">) =>
  Effect.callback<Redacted.Redacted, Misconfigured | Malformed>((resume) => {
    const started = Result.try({
      try: () =>
        spawn(path, args, {
          env: { ...process.env, ...env },
          stdio: ["ignore", "pipe", "ignore"],
          // At the head of a process group of its own.
          detached: true,
          windowsHide: true
        }),
      catch: (error) => unstartable(setting, path, error)
    })
    if (Result.isFailure(started)) return resume(Effect.fail(started.failure))
    const child = started.success
    const chunks: Array<Buffer> = []
    let size = 0
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= maximumSize) return void chunks.push(chunk)
      stop(child)
      resume(
        Effect.fail(new Malformed({ detail: `${path} printed more than ${maximumSize} bytes` }))
      )
    })
    child.on("error", (error) => resume(Effect.fail(unstartable(setting, path, error))))
    // What it has left behind would hold its output open.
    child.on("exit", () => killGroup(child))
    child.on("close", (code, signal) =>
      resume(
        code === 0
          ? Effect.succeed(Redacted.make(Buffer.concat(chunks).toString("utf8").trim()))
          : Effect.fail(
              new Malformed({
                detail: `${path} ended with ${code ?? signal}, and its words are not shown: run it by hand to read them`
              })
            )
      )
    )
    return Effect.sync(() => stop(child))
  })

const stop = (child: ChildProcess): void => {
  killGroup(child)
  child.kill("SIGKILL")
  child.stdout?.destroy()
}

const killGroup = ({ pid }: ChildProcess): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Nobody is left of it; or there are no groups here.
  }
}

const unstartable = (setting: string, path: string, error: unknown): Misconfigured => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "no code"
  return new Misconfigured({
    setting,
    problem: `${path} cannot be run (${code})`,
    hint: "Name a program that is there and that this process may run."
  })
}
