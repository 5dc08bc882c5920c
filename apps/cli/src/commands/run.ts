/** `federate run`: a command whose cloud SDKs get their credentials from a broker of its own. */
import type { Refused } from "@federate/broker"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { runToItsEnd } from "../childProcess.ts"
import { surroundings } from "../commandBroker.ts"
import { flowOf, load } from "../configFile.ts"
import { printable, shortened } from "../printable.ts"
import { report, Stopped, told } from "../report.ts"
import { root } from "../root.ts"
import { err } from "../style.ts"
import { UsageError } from "../UsageError.ts"

export const runCommand = Command.make(
  "run",
  {
    flow: Flag.String("flow").pipe(
      Flag.withDescription("A flow to serve, instead of all of the config file; may be repeated"),
      Flag.atLeast(0)
    ),
    command: Argument.String("command").pipe(
      Argument.withDescription("The command and its arguments, after --"),
      Argument.variadic({ min: 1 })
    )
  },
  Effect.fn(
    function* ({ command: [command = "", ...args], flow }) {
      const { config } = yield* root
      const file = yield* load(Option.getOrUndefined(config))
      const chosen =
        flow.length === 0
          ? [...file.flows.values()]
          : yield* Effect.forEach(new Set(flow), (name) => flowOf(file, name))
      // Loaded only by those who serve.
      const { serve } = yield* Effect.promise(() => import("@federate/broker/config"))
      const flows = yield* Effect.forEach(chosen, serve)
      const refused = new Map<string, Refused>()
      const env = yield* surroundings(flows, file.sections.broker, refused)
      let status = 0
      yield* Effect.gen(function* () {
        status = yield* runToItsEnd(command, args, env)
        if (status !== 0) yield* tell(refused)
      }).pipe(
        Effect.catchTag("NotStarted", ({ reason }) => notStarted(command, reason)),
        // What interrupts this process was handed on, and what the command made of it is what came of it.
        Effect.uninterruptible,
        Effect.onInterrupt(() => Effect.sync(() => (process.exitCode = status)))
      )
      if (status !== 0) return yield* new Stopped({ code: status })
    },
    Effect.scoped,
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Run a command whose cloud SDKs, unmodified, get their credentials from the flows, as long as it runs"
  ),
  Command.withExamples([
    {
      command: "federate run -- node app.js",
      description: "Every flow of the config file, behind the protocols that SDKs know"
    },
    {
      command: "federate run --flow graph --flow aws -- terraform apply",
      description: "These two alone"
    },
    {
      command: "federate run -- sh -c 'aws s3 ls | head'",
      description: "No shell is between, unless there is one"
    }
  ])
)

/** More would bury what the command itself said. */
const mostTold = 3

/** SDKs that try one credential after the other hide why theirs was refused. */
const tell = (refused: ReadonlyMap<string, Refused>): Effect.Effect<void> =>
  Effect.forEach(
    [...refused.values()].slice(-mostTold),
    ({ message, protocol }) =>
      Console.error(
        `${err(["bold", "red"])("✗")} ${err("bold")(`federate refused the command (${protocol})`)}: ${printable(message)}`
      ),
    { discard: true }
  )

/** In the statuses of POSIX.1-2024, Shell Command Language §2.8.2. */
const notStarted = Effect.fnUntraced(function* (command: string, reason: string) {
  const name = shortened(command)
  const isMissing = reason === "ENOENT"
  yield* told(
    isMissing
      ? new UsageError({
          problem: `There is no command called "${name}"`,
          hint: "Look at its name and at $PATH; a shell's own words need `sh -c`."
        })
      : new UsageError({
          problem: `The command "${name}" cannot be started: ${reason}`,
          hint: "Look at its permissions, and at what kind of file it is."
        }),
    { json: false }
  )
  return yield* new Stopped({ code: isMissing ? 127 : 126 })
})
