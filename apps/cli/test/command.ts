/** The command, run in this process. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Layer, Stdio, Stream, Terminal } from "effect"
import { TestConsole } from "effect/testing"
import { format } from "node:util"
import { run } from "../src/cli.ts"
import { plain } from "./plain.ts"

plain()

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  /** What is piped in. */
  readonly stdin?: string | Stream.Stream<Uint8Array>
  /** Whether somebody sits there; then, what is shown and what is pressed. */
  readonly person?: boolean | Terminal.Terminal
}

/** Runs `federate` with these arguments. */
export const federate = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  { stdin = "", person = false }: Surroundings = {}
) {
  const console = yield* TestConsole.make
  const stdio = Stdio.layerTest({
    stdin: typeof stdin === "string" ? Stream.make(Buffer.from(stdin)) : stdin,
    stdinIsTerminal: Effect.succeed(person !== false),
    stdoutIsTerminal: Effect.succeed(person !== false)
  })
  const code = yield* run(args).pipe(
    Effect.provide(
      Layer.mergeAll(
        NodeServices.layer,
        stdio,
        typeof person === "boolean" ? Layer.empty : Layer.succeed(Terminal.Terminal, person)
      )
    ),
    Effect.provideService(Console.Console, console)
  )
  const outcome: Outcome = {
    code,
    stdout: lines(yield* console.logLines),
    stderr: lines(yield* console.errorLines)
  }
  return outcome
})

const lines = (written: ReadonlyArray<unknown>): string =>
  written.map((each) => `${format(each)}\n`).join("")
