/** One content of the config file, in service. The next one takes over what is the same in both. */
import { access, constants } from "node:fs"
import { dirname } from "node:path"
import { listen, make as makeBroker, misconfigured } from "@federate/broker"
import type { Audit, Broker, BrokerConfig, Listener, ServedFlow, TokenFile } from "@federate/broker"
import { serve } from "@federate/broker/config"
import { ConfigError } from "@federate/config"
import type { Config, FlowDefinition } from "@federate/config"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { sections } from "./adapters.ts"
import { renew, retire } from "./renewal.ts"
import type { Held, Holdings, Wanted } from "./renewal.ts"

interface Flow {
  readonly definition: FlowDefinition
  readonly served: ServedFlow
}

type SocketConfig = NonNullable<BrokerConfig["sockets"]>[string]
type TokenFileConfig = NonNullable<BrokerConfig["tokenFiles"]>[number]

interface Socket {
  readonly config: SocketConfig
  /** Who answers there: another one after a reload. */
  heard: Listener
}

interface KeptFile {
  readonly config: TokenFileConfig
  readonly flow: Held<Flow> | undefined
  readonly keep: TokenFile["keep"]
}

export interface Revision {
  readonly config: BrokerConfig
  /** By name. */
  readonly flows: Holdings<Flow>
  /** One. */
  readonly brokers: Holdings<Broker>
  /** By path. */
  readonly sockets: Holdings<Socket>
  readonly tokenFiles: Holdings<KeptFile>
}

/** What there is before the first one. */
export const none: Revision = {
  config: {},
  flows: new Map(),
  brokers: new Map(),
  sockets: new Map(),
  tokenFiles: new Map()
}

/** What all of them share. */
export interface Shared {
  /** The config file's name. */
  readonly file: string
  /** What the callers' secrets are made of: they stay the same. */
  readonly secret: Redacted.Redacted
  readonly audit: Audit
  /** Where each kind of thing lives. */
  readonly scopes: {
    readonly flows: Scope.Scope
    readonly brokers: Scope.Scope
    readonly ways: Scope.Scope
    readonly tokenFiles: Scope.Scope
  }
}

/** Makes what is new in it, beside the one before, which goes on as it was: all of it, or every problem. */
export const make = (
  { flows: definitions, sections: { broker: config = {} } }: Config<typeof sections>,
  before: Revision,
  { audit, file, scopes, secret }: Shared
): Effect.Effect<Revision, ConfigError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const attempt = <A>(
        held: Holdings<A>,
        wanted: Iterable<readonly [string, Wanted<A, FederationError>]>,
        scope: Scope.Scope,
        path: (name: string) => string
      ) =>
        Effect.acquireRelease(
          Effect.mapError(
            renew(held, wanted, scope),
            (errors) =>
              new ConfigError({
                file,
                problems: errors.map(([name, { message }]) => ({ path: path(name), message }))
              })
          ),
          (made, exit) => (Exit.isFailure(exit) ? retire(made, held) : Effect.void)
        )
      const flows = yield* attempt(
        before.flows,
        [...definitions].map(([name, definition]) => [name, wantedFlow(definition)]),
        scopes.flows,
        (name) => `flows.${name}`
      )
      const served = [...flows.values()].map(({ value }) => value.served)
      const brokers = yield* attempt(
        before.brokers,
        [["", { isSame: () => false, make: makeBroker({ flows: served, config, secret, audit }) }]],
        scopes.brokers,
        () => "broker"
      )
      const made = { config, flows, brokers }
      const tokenFiles = yield* attempt(
        before.tokenFiles,
        wantedTokenFiles(made),
        scopes.tokenFiles,
        () => "broker.tokenFiles"
      )
      // Last, as others see it.
      const sockets = yield* attempt(
        before.sockets,
        wantedSockets(made, before),
        scopes.ways,
        () => "broker.sockets"
      )
      return { ...made, sockets, tokenFiles }
    })
  )

/** Its broker. */
export const brokerOf = ({ brokers }: Pick<Revision, "brokers">): Broker => {
  const [held] = brokers.values()
  // Every revision that was made has one.
  return held!.value
}

const wantedFlow = (definition: FlowDefinition): Wanted<Flow, FederationError> => ({
  isSame: (held) => Equal.equals(held.definition.identity, definition.identity),
  make: Effect.map(serve(definition), (served) => ({ definition, served }))
})

const wantedTokenFiles = ({
  config,
  flows,
  ...made
}: Pick<Revision, "config" | "flows" | "brokers">) => {
  const { tokenFiles } = brokerOf(made)
  const assertions = [...flows.values()].find(({ value }) => value.served.issues === "Assertion")
  return (config.tokenFiles ?? []).map((each, index) => {
    const flow = each.flow === undefined ? assertions : flows.get(each.flow)
    const wanted: Wanted<KeptFile, FederationError> = {
      isSame: (held) => held.flow === flow && Equal.equals(held.config, each),
      make: Effect.as(writable(each.path), {
        config: each,
        flow,
        keep: tokenFiles[index]!.keep
      })
    }
    return [each.path, wanted] as const
  })
}

/** Before anything is fetched for it. */
const writable = (path: string): Effect.Effect<void, FederationError> =>
  Effect.callback((resume) => {
    access(dirname(path), constants.W_OK, (error) =>
      resume(
        error === null
          ? Effect.void
          : Effect.fail(
              misconfigured(
                "broker.tokenFiles",
                `${path} cannot be written: ${error.code ?? "unknown"}`,
                "Its folder must exist, and this process must be let write there."
              )
            )
      )
    )
  })

const wantedSockets = (made: Pick<Revision, "brokers">, before: Revision) => {
  const paths = new Set<string>()
  return brokerOf(made).sockets.map((socket) => {
    const { listener, name, path } = socket
    const refuse = (problem: string, hint: string) =>
      Effect.fail(misconfigured(`broker.sockets.${name}.path`, problem, hint))
    const doubled = paths.has(path)
    paths.add(path)
    const wanted: Wanted<Socket, FederationError> = {
      isSame: ({ config: { group, mode, owner } }) =>
        !doubled && group === socket.group && mode === socket.mode && owner === socket.owner,
      make: Effect.gen(function* () {
        if (doubled) return yield* refuse("is another socket's path too", "Choose another path.")
        if (before.sockets.has(path)) {
          return yield* refuse(
            "is listened on, and cannot get other permissions meanwhile",
            "Choose another path, or restart the server."
          )
        }
        const open: Socket = { config: socket, heard: listener }
        yield* listen((request, response) => open.heard(request, response), socket)
        return open
      })
    }
    return [path, wanted] as const
  })
}

/** How long requests in flight may take. */
const patience = "5 seconds"

/** Lets it take over from the one before; ends when what is only in that one has finished its requests and is gone. */
export const takeOver = Effect.fnUntraced(function* (current: Revision, before: Revision) {
  for (const { listener, path } of brokerOf(current).sockets) {
    const socket = current.sockets.get(path)
    if (socket !== undefined) socket.value.heard = listener
  }
  yield* retire(before.tokenFiles, current.tokenFiles)
  for (const [path, held] of current.tokenFiles) {
    if (before.tokenFiles.get(path) === held) continue
    yield* held.value.keep.pipe(
      Effect.catch(({ message }) => Effect.logError(`${path} is not kept: ${message}`)),
      // It asks its flow by itself, for as long as it is held.
      Scope.provide(held.scope),
      Effect.forkIn(held.scope)
    )
  }
  yield* retire(before.sockets, current.sockets)
  const [old] = before.brokers.values()
  if (old !== undefined) {
    yield* Effect.timeoutOption(old.value.idle, patience)
    yield* old.value.observe
    yield* retire(before.brokers, current.brokers)
  }
  yield* retire(before.flows, current.flows)
})
