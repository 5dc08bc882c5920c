/** Where the config file is, and what it says. */
import { ConfigError, decode } from "@federate/config"
import type { Platform } from "@federate/http"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { inWords } from "./files.ts"
import { shortened } from "./printable.ts"
import { UsageError } from "./UsageError.ts"

/** What it is called. */
export const usualName = "federate.yaml"

interface Found {
  readonly file: string
  /** Who named it, when it was not the caller. */
  readonly by?: string
}

/** The named file; else `$FEDERATE_CONFIG`; else `federate.yaml` here or in the nearest folder above. */
export const find = Effect.fnUntraced(function* (
  named: string | undefined
): Effect.fn.Return<Found, UsageError, FileSystem.FileSystem | Path.Path> {
  if (named !== undefined && named !== "") return { file: named }
  const chosen = process.env["FEDERATE_CONFIG"]
  if (chosen !== undefined && chosen !== "") return { file: chosen, by: "$FEDERATE_CONFIG" }
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const here = path.resolve(".")
  for (let folder = here; ; folder = path.dirname(folder)) {
    const file = path.join(folder, usualName)
    if (yield* Effect.orElseSucceed(files.exists(file), () => false))
      return { file: path.relative(here, file) }
    if (folder === path.dirname(folder)) break
  }
  return yield* new UsageError({
    problem: `There is no ${usualName} here or above`,
    hint: "Write one with `federate init`, or name it with --config FILE or $FEDERATE_CONFIG."
  })
})

export interface LoadOptions {
  /** What is lent to adapters. Default: nothing. */
  readonly platform?: Platform
  /** Whether variables may be unset that setting a trust up makes known. Default: no. */
  readonly learning?: boolean
  /** Default: the process's. */
  readonly environment?: (name: string) => string | undefined
}

/** Reads and decodes the config file. */
export const load = Effect.fnUntraced(function* (
  named: string | undefined,
  { environment = (name) => process.env[name], learning = false, platform = {} }: LoadOptions = {}
) {
  const { by, file } = yield* find(named)
  yield* Effect.logDebug(`The config file is ${file}`)
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    (error) =>
      new ConfigError({
        file,
        problems: [
          {
            path: "",
            message: `cannot be read: ${inWords(error)}${by === undefined ? "" : `; it is named by ${by}`}`
          }
        ]
      })
  )
  // Loaded only by the commands that need them: they bring the protocols along.
  const { adapters, sections, sides } = yield* Effect.promise(
    () => import("@federate/server/adapters")
  )
  return yield* decode(text, {
    file,
    adapters,
    sections,
    sides,
    platform,
    environment,
    learning
  })
})

/** The flow of that name. */
export const flowOf = <F>(
  { flows }: { readonly flows: ReadonlyMap<string, F> },
  name: string
): Effect.Effect<F, UsageError> => {
  const flow = flows.get(name)
  return flow === undefined
    ? Effect.fail(
        new UsageError({
          problem: `There is no flow called "${shortened(name)}"`,
          hint: `The config file has ${[...flows.keys()].join(", ")}.`
        })
      )
    : Effect.succeed(flow)
}
