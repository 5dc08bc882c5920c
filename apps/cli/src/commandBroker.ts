/** A broker for one command: on a free port of loopback, with a folder of its own. */
import { homedir } from "node:os"
import type { Audit, BrokerConfig, Refused, ServedFlow } from "@federate/broker"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import { commandEnvironment, regionOf } from "./commandEnvironment.ts"
import { inWords } from "./files.ts"
import { printable } from "./printable.ts"
import { UsageError } from "./UsageError.ts"

/**
 * Serves the flows as long as the scope, and gives the environment in which they are found.
 *
 * @param section what a config file maps to them; its ways in are not this one
 * @param refused takes what the command is refused, by message, the latest last
 */
export const surroundings = Effect.fnUntraced(function* (
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
  const { aws, azure, gce, withoutSecret } = restricted(section, names)
  const tokenFiles = (section.tokenFiles ?? []).filter(({ flow }) =>
    flow === undefined ? assertions.length > 0 : names.has(flow)
  )
  const folder = yield* Effect.mapError(
    files.makeTempDirectoryScoped({ prefix: "federate-" }),
    notWritten
  )
  // With an assertion alone, Azure's SDKs go to Entra themselves.
  const [only, ...others] = assertions.filter(({ exchanger }) => exchanger === undefined)
  const presented =
    only === undefined ||
    others.length > 0 ||
    servesAzure(flows, { azure }) ||
    tokenFiles.some((file) => file.azure !== undefined)
      ? undefined
      : { path: path.join(folder, "assertion"), flow: only.flow.name }
  const broker = yield* make({
    flows,
    audit: yield* auditing(refused),
    config: {
      aws,
      azure,
      gce,
      // Google's metadata server has no secret in its protocol; what is there with one is not spoken without.
      withoutSecret: withoutSecret?.includes("gce") === false ? [] : ["gce"],
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
  if (presented !== undefined) variables["AZURE_FEDERATED_TOKEN_FILE"] = presented.path
  const authorization = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
  if (authorization !== undefined) {
    // New SDKs prefer the file, old ones know the variable alone. Without a line's end: boto3 refuses one.
    const file = path.join(folder, "authorization")
    yield* Effect.mapError(files.writeFileString(file, authorization, { mode: 0o600 }), notWritten)
    variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = file
  }
  return commandEnvironment(process.env, {
    variables,
    google:
      gce?.flow !== undefined ||
      flows.some((served) => served.issues === "AccessToken" && served.cloud === "google"),
    azureIdentities: new Set(
      [
        ...Object.keys(azure?.identities ?? {}),
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

/** Tells the debug log of everything, and remembers refusals. */
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
