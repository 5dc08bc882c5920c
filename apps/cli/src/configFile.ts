/** Where the config file is, and what it says. */
import { ConfigError, decode } from "@federate/config"
import type { Config, FlowDefinition } from "@federate/config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { UsageError } from "./UsageError.ts"

const usualName = "federate.yaml"

/** The named file; else `$FEDERATE_CONFIG`; else `federate.yaml` here or in the nearest folder above. */
const find = Effect.fnUntraced(function* (named: string | undefined) {
  const chosen = named ?? process.env["FEDERATE_CONFIG"]
  if (chosen !== undefined && chosen !== "") return chosen
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const here = path.resolve(".")
  for (let folder = here; ; folder = path.dirname(folder)) {
    const file = path.join(folder, usualName)
    if (yield* Effect.orElseSucceed(files.exists(file), () => false))
      return path.relative(here, file)
    if (folder === path.dirname(folder)) break
  }
  return yield* new UsageError({
    problem: `There is no ${usualName} here or above`,
    hint: "Write one with `federate init`, or name it with --config FILE or $FEDERATE_CONFIG."
  })
})

/** Reads and decodes the config file. */
export const load = Effect.fnUntraced(function* (named: string | undefined) {
  const file = yield* find(named)
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    ({ reason }) =>
      new ConfigError({
        file,
        problems: [{ path: "", message: `cannot be read (${reason._tag})` }]
      })
  )
  // Loaded only by the commands that need them: they bring the protocols along.
  const { adapters } = yield* Effect.promise(() => import("./adapters.ts"))
  return yield* decode(text, {
    file,
    adapters,
    platform: {},
    environment: (name) => process.env[name]
  })
})

/** The flow of that name. */
export const flowOf = (
  { flows }: Config,
  name: string
): Effect.Effect<FlowDefinition, UsageError> => {
  const flow = flows.get(name)
  return flow === undefined
    ? Effect.fail(
        new UsageError({
          problem: `There is no flow called "${name}"`,
          hint: `The config file has ${[...flows.keys()].join(", ")}.`
        })
      )
    : Effect.succeed(flow)
}
