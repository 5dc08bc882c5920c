/** A command that runs in front of this process, with its terminal and its files. */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { constants } from "node:os"
import { isatty } from "node:tty"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** The command was not started; the reason is the system's, such as `ENOENT`. */
export class NotStarted extends Data.TaggedError("NotStarted")<{ readonly reason: string }> {}

const forwarded = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH"
] as const

/** A terminal sends these to every process in front of it: the command has them already. */
const ofTerminals: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"])

/**
 * Runs a command without a shell until it ends by itself, and hands signals to this process on to it; not to be
 * interrupted. Gives its status, as shells count: 128 and the number of the signal that killed it.
 */
export const runToItsEnd = (
  command: string,
  args: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv
): Effect.Effect<number, NotStarted> =>
  Effect.callback((resume) => {
    const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor))
    const forward = (signal: NodeJS.Signals): void => {
      if (child instanceof NotStarted || (onTerminal && ofTerminals.has(signal))) return
      child.kill(signal)
    }
    const ended = (result: Effect.Effect<number, NotStarted>): void => {
      for (const signal of forwarded) process.off(signal, forward)
      resume(result)
    }
    // Before it starts: one that came between would end this process, and leave the command to itself.
    for (const signal of forwarded) process.on(signal, forward)
    const child = started(() => spawn(command, args, { env, stdio: "inherit" }))
    if (child instanceof NotStarted) {
      ended(Effect.fail(child))
      return
    }
    child.on("error", (error) => {
      // Later ones are of signals that did not reach it.
      if (child.pid === undefined) ended(Effect.fail(notStarted(error)))
    })
    child.once("exit", (code, signal) =>
      ended(Effect.succeed(signal === null ? (code ?? 0) : 128 + constants.signals[signal]))
    )
  })

/** Node tells some reasons by an event, and throws others. */
const started = (start: () => ChildProcess): ChildProcess | NotStarted => {
  try {
    return start()
  } catch (error) {
    return notStarted(error)
  }
}

const notStarted = (error: unknown): NotStarted =>
  new NotStarted({
    reason: error instanceof Error && "code" in error ? String(error.code) : "unknown"
  })
