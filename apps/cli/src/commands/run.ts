/** `federate run`: a command whose cloud SDKs get their credentials from a broker of its own. */
import { homedir } from "node:os"
import type { Audit, BrokerConfig, Refused, ServedFlow } from "@federate/broker"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import { runToItsEnd } from "../childProcess.ts"
import { commandEnvironment, regionOf } from "../commandEnvironment.ts"
import { flowOf, load } from "../configFile.ts"
import { inWords } from "../files.ts"
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
      Argument.variadic()
    )
  },
  Effect.fn(
    function* ({ command: [command, ...args], flow }) {
      if (command === undefined || command === "") {
        return yield* new UsageError({
          problem: "There is no command to run",
          hint: "Name it after --, as in `federate run -- terraform plan`."
        })
      }
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
      let status: number | undefined
      yield* Effect.gen(function* () {
        status = yield* runToItsEnd(command, args, env)
        if (status === 0) return
        yield* tell(refused)
        return yield* new Stopped({ code: status })
      }).pipe(
        Effect.catchTag("NotStarted", ({ reason }) => notStarted(command, reason)),
        // The signal was handed on, and what the command made of it is what came of it.
        Effect.onInterrupt(() => Effect.sync(() => (process.exitCode = status)))
      )
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

/** Serves the flows as long as the scope, and gives the environment in which they are found. */
const surroundings = Effect.fnUntraced(function* (
  flows: ReadonlyArray<ServedFlow>,
  section: BrokerConfig = {},
  refused: Map<string, Refused>
) {
  const { listen, make, restricted, servesAzure } = yield* Effect.promise(
    () => import("@federate/broker")
  )
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = new Set(flows.map((served) => served.flow.name))
  const assertions = flows.filter(({ issues }) => issues === "Assertion")
  const { flows: _, sockets: __, ...mapped } = restricted(section, names)
  const tokenFiles = (section.tokenFiles ?? []).filter(({ flow }) =>
    flow === undefined ? assertions.length > 0 : names.has(flow)
  )
  const folder = yield* Effect.mapError(
    files.makeTempDirectoryScoped({ prefix: "federate-" }),
    notWritten
  )
  // With an assertion alone, Azure's SDKs go to Entra themselves.
  const [only, ...others] = assertions
  const presented =
    only === undefined ||
    others.length > 0 ||
    servesAzure(flows, mapped) ||
    tokenFiles.some(({ azure }) => azure !== undefined)
      ? undefined
      : { path: path.join(folder, "assertion"), flow: only.flow.name }
  const broker = yield* make({
    flows,
    audit: yield* auditing(refused),
    config: {
      ...mapped,
      // Google's metadata server has no secret in its protocol; whatever has one is not offered without.
      withoutSecret: mapped.withoutSecret?.includes("gce") === false ? [] : ["gce"],
      tokenFiles: presented === undefined ? tokenFiles : [...tokenFiles, presented]
    }
  })
  const origin = yield* listen(broker.listener, { host: "127.0.0.1", port: 0 })
  // A file is read without a question, so it must be there; whatever else is asked for can be waited for then.
  yield* Effect.forEach(broker.tokenFiles, ({ keep }) => keep, {
    concurrency: "unbounded",
    discard: true
  })
  yield* Effect.forkScoped(broker.warm)
  const variables = Object.fromEntries(
    Object.entries(broker.variables(origin)).map(([name, value]) => [name, Redacted.value(value)])
  )
  const token = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
  if (token !== undefined) {
    const tokenFile = path.join(folder, "aws-authorization-token")
    yield* Effect.mapError(files.writeFileString(tokenFile, token, { mode: 0o600 }), notWritten)
    variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = tokenFile
  }
  if (presented !== undefined) variables["AZURE_FEDERATED_TOKEN_FILE"] = presented.path
  return commandEnvironment(process.env, {
    variables,
    google:
      mapped.gce?.flow !== undefined ||
      flows.some((served) => served.issues === "AccessToken" && served.cloud === "google"),
    azureIdentities: new Set(
      [
        ...Object.keys(mapped.azure?.identities ?? {}),
        ...flows.flatMap((served) => ("client" in served ? [served.client ?? ""] : []))
      ].map((identity) => identity.toLowerCase())
    ),
    awsRegion: yield* awsRegion
  })
})

/** The region of the profile that is chosen here; AWS's files need not be there. */
const awsRegion = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = process.env["AWS_CONFIG_FILE"] || path.join(homedir(), ".aws", "config")
  const profile = process.env["AWS_PROFILE"] || process.env["AWS_DEFAULT_PROFILE"] || "default"
  const text = yield* Effect.orElseSucceed(files.readFileString(file), () => "")
  return regionOf(text, profile)
})

const notWritten = (error: PlatformError) =>
  new UsageError({
    problem: `The command's temporary folder cannot be written: ${inWords(error)}`,
    hint: "Look at $TMPDIR."
  })

/** Tells the debug log of everything, and remembers refusals: the latest come last. */
const auditing = (refused: Map<string, Refused>): Effect.Effect<Audit> =>
  Effect.map(Effect.context<never>(), (context) => {
    const log = (...message: ReadonlyArray<unknown>): void => {
      Effect.runForkWith(context)(Effect.logDebug(...message))
    }
    return {
      handed: (_, handed) => log("Handed out", handed),
      refused: (_, each) => {
        refused.delete(each.message)
        refused.set(each.message, each)
        log("Refused", { ...each, message: printable(each.message) })
      }
    }
  })

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
