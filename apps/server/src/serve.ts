/** The server as a process: its log on standard output, its signals, its end. */
import type { EventEmitter } from "node:events"
import { constants } from "node:os"
import type { ConfigError } from "@federate/config"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import * as Lines from "./lines.ts"
import { audit, logger, lost, tellFault } from "./log.ts"
import type { Options } from "./options.ts"
import * as Server from "./Server.ts"
import { telemetry } from "./telemetry.ts"

const standardOutput = 1

/**
 * Fetch parses answers in WebAssembly. To optimize that takes V8 14 MiB that stay resident, and a core for a tenth of a
 * second; a broker has a few answers an hour. Heeded by what is compiled from here on, in bytes that it has run.
 */
const spareMemory = (): void =>
  process.getBuiltinModule("node:v8").setFlagsFromString("--wasm-tiering-budget=2000000000")

/**
 * Serves until SIGTERM or SIGINT, and reads the config file again on SIGHUP. A second signal ends the process at once,
 * with the status that shells give it.
 */
export const serve = (options: Options): Effect.Effect<void, ConfigError | FederationError> =>
  Effect.suspend(() => {
    spareMemory()
    const lines = Lines.make(standardOutput, lost)
    return Effect.gen(function* () {
      yield* on(process, "exit", lines.flush)
      const tell = (defect: unknown) => tellFault(lines, defect)
      yield* on(process, "uncaughtException", tell)
      yield* on(process, "unhandledRejection", tell)
      const signal = yield* stopSignal
      yield* Effect.raceFirst(served(options, lines), signal)
    }).pipe(
      Effect.scoped,
      Effect.ensuring(Effect.sync(lines.flush)),
      Effect.provide(Logger.layer([logger(lines)]))
    )
  })

const served = (options: Options, lines: Lines.Lines) =>
  Effect.gen(function* () {
    let server: Server.Server | undefined
    const told = (message: string) =>
      Effect.addFinalizer(() => (server === undefined ? Effect.void : Effect.logInfo(message)))
    yield* told("stopped")
    const surroundings = yield* telemetry(
      process.env,
      Effect.suspend(() => server?.observe ?? Effect.void)
    )
    return yield* Effect.gen(function* () {
      server = yield* Server.make(options, audit(lines))
      const fork = Effect.runForkWith(yield* Effect.context())
      const { reload } = server
      yield* on(process, "SIGHUP", () => fork(reload))
      yield* told("stopping")
      return yield* Effect.never
    }).pipe(Effect.provideContext(surroundings))
  }).pipe(Effect.scoped)

/** Hears of an event until the scope closes. */
const on = (
  emitter: EventEmitter,
  event: string,
  listener: (argument: unknown) => void
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void emitter.on(event, listener)),
    () => Effect.sync(() => void emitter.off(event, listener))
  )

const signals = ["SIGTERM", "SIGINT"] as const

/** Ends at the first signal; the second one does not wait. */
const stopSignal: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.gen(function* () {
  const heard = Latch.makeUnsafe()
  for (const signal of signals) {
    yield* on(process, signal, () => {
      if (heard.isOpen()) process.exit(128 + constants.signals[signal])
      heard.openUnsafe()
    })
  }
  return heard.await
})

export { defaultListen, options } from "./options.ts"
