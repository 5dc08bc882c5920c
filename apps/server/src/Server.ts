/** The broker over a config file: it follows the file, and drops no token for that. */
import { randomBytes } from "node:crypto"
import { listen, misconfigured, secretlessProtocols } from "@federate/broker"
import type { Audit } from "@federate/broker"
import type { ConfigError } from "@federate/config"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { decoded, read, watched } from "./configFile.ts"
import { envFile } from "./envFile.ts"
import type { Options } from "./options.ts"
import { difference } from "./renewal.ts"
import * as Revision from "./Revision.ts"

export interface Server {
  /** Where it is heard: `http://127.0.0.1:8765`. */
  readonly origin: string
  /** Reads the config file again, changed or not. What is wrong with it is told in the log, and changes nothing. */
  readonly reload: Effect.Effect<void>
  /** Writes what was counted into the metrics: to be run just before they are exported. */
  readonly observe: Effect.Effect<void>
}

/** How long a file is left alone that was just written: editors and shells do so in several steps. */
const settling = "100 millis"

/**
 * Serves until the scope closes; then finishes the requests in flight within 5 s, and leaves nothing behind. A config
 * file, or a place to listen, that cannot be used is an error here; what comes later is refused, and told in the log.
 */
export const make = Effect.fnUntraced(function* (
  { config: file, envFile: variablesFile, listen: where }: Options,
  audit: Audit
): Effect.fn.Return<Server, ConfigError | FederationError, Scope.Scope> {
  // The last closes first: the ways in, and then what answers there.
  const scope = yield* Effect.scope
  const flows = yield* Scope.fork(scope, "parallel")
  const brokers = yield* Scope.fork(scope, "parallel")
  const tokenFiles = yield* Scope.fork(scope, "parallel")
  const ways = yield* Scope.fork(scope, "parallel")
  const shared: Revision.Shared = {
    file,
    secret: Redacted.make(randomBytes(32).toString("base64url")),
    audit,
    scopes: { flows, brokers, tokenFiles, ways }
  }

  let seen = yield* read(file)
  let current = yield* Revision.make(yield* decoded(file, seen), Revision.none, shared)
  let heard = Revision.brokerOf(current).listener
  const origin = yield* Scope.provide(
    listen((request, response) => heard(request, response), where),
    ways
  )
  // Of a socket that systemd passes only this tells what it is.
  if (variablesFile !== undefined && origin.startsWith("unix:")) {
    return yield* misconfigured(
      "--env-file",
      "needs an http address, which a unix socket is not",
      "Let the socket unit listen on 127.0.0.1, or leave --env-file out."
    )
  }
  const publish = variablesFile === undefined ? undefined : yield* envFile(variablesFile)
  const publishVariables = Effect.suspend(
    () => publish?.(Revision.brokerOf(current).variables(origin)) ?? Effect.void
  )
  yield* publishVariables
  yield* Revision.takeOver(current, Revision.none)
  yield* Effect.logInfo("ready").pipe(Effect.annotateLogs({ listen: origin, ...told(current) }))
  const warm = Effect.forkIn(
    Effect.suspend(() => Revision.brokerOf(current).warm),
    scope
  )
  yield* warm

  const renew = Effect.fnUntraced(
    function* (forced: boolean) {
      const text = yield* read(file)
      if (text === seen && !forced) return
      seen = text
      const before = current
      const next = yield* Revision.make(yield* decoded(file, text), before, shared)
      current = next
      heard = Revision.brokerOf(next).listener
      yield* Effect.logInfo("reloaded").pipe(
        Effect.annotateLogs({
          changes: difference(before.flows, next.flows),
          ...told(next)
        })
      )
      yield* publishVariables.pipe(Effect.catch(({ message }) => Effect.logError(message)))
      yield* warm
      yield* Revision.takeOver(next, before)
    },
    Effect.catch(({ message, problems }) =>
      Effect.logError(`The config file is not taken, and the one before stays: ${message}`).pipe(
        Effect.annotateLogs({ problems })
      )
    ),
    // One after the other.
    Semaphore.makeUnsafe(1).withPermit
  )
  const changed = Latch.makeUnsafe()
  yield* watched(file, () => changed.openUnsafe())
  yield* changed.await.pipe(
    Effect.andThen(Effect.sleep(settling)),
    Effect.andThen(changed.close),
    Effect.andThen(renew(false)),
    Effect.forever,
    Effect.forkScoped
  )
  return {
    origin,
    reload: renew(true),
    observe: Effect.suspend(() => Revision.brokerOf(current).observe)
  }
})

/** What is served, for the log. */
const told = ({ config, flows, sockets, tokenFiles }: Revision.Revision) => ({
  flows: [...flows.keys()],
  withoutSecret: config.withoutSecret ?? secretlessProtocols,
  ...(sockets.size > 0 && { sockets: [...sockets.keys()] }),
  ...(tokenFiles.size > 0 && { tokenFiles: [...tokenFiles.keys()] })
})
