/** The local protocols that cloud SDKs already know, over flows: one plain Node request listener. */
import type { FederationError, TokenRequest } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as api from "./api/routes.ts"
import { refusal } from "./Answer.ts"
import type { Refusal } from "./Answer.ts"
import * as Audit from "./Audit.ts"
import { restricted, secretlessProtocols } from "./BrokerConfig.ts"
import type { BrokerConfig, SecretlessProtocol, SocketConfig } from "./BrokerConfig.ts"
import { listener } from "./Listener.ts"
import type { Listener } from "./Listener.ts"
import * as metrics from "./metrics.ts"
import * as probes from "./probes.ts"
import * as aws from "./protocols/aws.ts"
import * as azure from "./protocols/azure.ts"
import * as gce from "./protocols/gce.ts"
import * as subjectToken from "./protocols/subjectToken.ts"
import * as tokenExchange from "./protocols/tokenExchange.ts"
import { table } from "./Route.ts"
import type { Route } from "./Route.ts"
import * as Secret from "./Secret.ts"
import { isIssuing, misconfigured, tokenRequest } from "./ServedFlow.ts"
import type { ServedFlow } from "./ServedFlow.ts"
import { tokenFiles } from "./tokenFile.ts"
import type { TokenFile } from "./tokenFile.ts"
import { variables } from "./variables.ts"

export interface Options {
  readonly flows: ReadonlyArray<ServedFlow>
  /** The `broker:` section of a config file. Default: every protocol that has one flow of its kind. */
  readonly config?: BrokerConfig
  /** What the callers' secrets are made of. Default: 256 random bits. */
  readonly secret?: Redacted.Redacted
  /** Hears of every credential that was handed out, and of every refusal. Default: nobody. */
  readonly audit?: Audit.Audit
  /** For the keys of the issuers that token exchange trusts. Default: the platform's. */
  readonly fetch?: Fetch
}

export interface Broker {
  /** For an `http.Server` that listens on loopback. */
  readonly listener: Listener
  /** For one on each unix socket. */
  readonly sockets: ReadonlyArray<
    SocketConfig & { readonly name: string; readonly listener: Listener }
  >
  /** Files that always hold a fresh assertion, once they are kept. */
  readonly tokenFiles: ReadonlyArray<TokenFile>
  /**
   * What clients on this machine need in their environment.
   *
   * @param origin where the listener is heard: `http://127.0.0.1:8080`
   */
  readonly variables: (origin: string) => Readonly<Record<string, Redacted.Redacted>>
  /** Asks each flow for what its clients will ask, so that the first of them does not wait. */
  readonly warm: Effect.Effect<void>
  /** Ends when nobody waits for an answer any more. */
  readonly idle: Effect.Effect<void>
  /** Writes what was counted into the metrics: to be run just before they are exported. */
  readonly observe: Effect.Effect<void>
}

/**
 * Makes a broker. It lives as long as the scope, and answers who waits then with 503; its flows are not its own. A
 * mapping to a flow that does not exist, or issues something else than the route hands out, is `Misconfigured` here.
 */
export const make = Effect.fnUntraced(function* ({
  audit = Audit.none,
  config = {},
  fetch,
  flows,
  secret = Secret.random()
}: Options): Effect.fn.Return<Broker, FederationError, Scope.Scope> {
  const clock = yield* Clock.Clock
  const fibers = yield* FiberSet.make<unknown, never>()
  const run = yield* FiberSet.runtime(fibers)()
  const waiting = { count: 0 }
  const counts: metrics.Counts = new Map()
  const probed = flows.map((served) => ({
    flow: served.flow,
    request: typical(served, config)
  }))
  const observe = metrics.observe(flows, counts)
  const { loopback, sockets } = yield* Effect.fromResult(waysIn(flows, config))
  // What it maps must be right as a whole, before each way in takes its part of it.
  yield* Effect.fromResult(routesOf(flows, config, open, clock))
  const exchange = yield* tokenExchange.make({ flows, config, clock, fetch })
  const files = yield* Effect.fromResult(tokenFiles(flows, config.tokenFiles, audit))
  const secrets = {
    azure: Secret.derive(secret, "azure"),
    aws: Secret.derive(secret, "aws"),
    broker: Secret.derive(secret, "broker")
  }
  const way = Effect.fnUntraced(function* (
    caller: string,
    served: ReadonlyArray<ServedFlow>,
    own: Secrets,
    hosts: ReadonlyArray<string> | undefined,
    exchanges: ReadonlyArray<readonly [string, Route]>
  ) {
    const routes = yield* Effect.fromResult(routesOf(served, about(config, served), own, clock))
    const speaksGce = routes.some(([, { protocol }]) => protocol === "gce")
    const ownApi = yield* api.routes(
      { flows: served, secret: own.broker, clock },
      speaksGce ? gce.flavor : []
    )
    return listener({
      caller,
      hosts,
      audit,
      run,
      waiting,
      counts,
      table: table([
        ...routes,
        ...exchanges,
        ...ownApi,
        // Who comes by a socket learns of its flows alone.
        ...(hosts === undefined
          ? probes.routes(probed.filter(({ flow }) => served.some((each) => each.flow === flow)))
          : [...probes.routes(probed), ["/metrics", metrics.route(observe)] as const])
      ])
    })
  })
  return {
    listener: yield* way("loopback", loopback, secrets, config.hosts ?? [], exchange(undefined)),
    sockets: yield* Effect.forEach(sockets, ({ served, ...socket }) =>
      // Who may connect was decided by the file system.
      Effect.map(way(socket.name, served, open, undefined, exchange(socket.name)), (heard) => ({
        ...socket,
        listener: heard
      }))
    ),
    tokenFiles: files,
    variables: variables(loopback, about(config, loopback), secrets),
    warm: Effect.forEach(probed, probes.prompt, { concurrency: "unbounded", discard: true }),
    idle: FiberSet.awaitEmpty(fibers),
    observe
  }
})

export interface Secrets {
  readonly azure: Secret.Secret
  readonly aws: Secret.Secret
  readonly broker: Secret.Secret
}

/** As much of a config as is about these flows. */
const about = (config: BrokerConfig, served: ReadonlyArray<ServedFlow>): BrokerConfig =>
  restricted(config, new Set(served.map(({ flow }) => flow.name)))

const open: Secrets = { azure: Secret.open, aws: Secret.open, broker: Secret.open }

/** The callers of an audit that are no sockets. */
const ownCallers = ["loopback", "token-file"]

/** Which flows are served where. */
const waysIn = (flows: ReadonlyArray<ServedFlow>, config: BrokerConfig) =>
  Result.gen(function* () {
    const byName = new Map(flows.map((served) => [served.flow.name, served]))
    if (byName.size < flows.length) {
      const names = flows.map(({ flow }) => flow.name)
      const twice = names.find((name, index) => names.indexOf(name) !== index)
      return yield* Result.fail(
        misconfigured("flows", `two are called "${twice}"`, "Give each flow a name of its own.")
      )
    }
    const pick = (setting: string, names: ReadonlyArray<string>) =>
      Result.all(
        [...new Set(names)].map((name) => {
          const served = byName.get(name)
          return served === undefined
            ? Result.fail(
                misconfigured(
                  setting,
                  `names no flow: "${name}"`,
                  `The flows here are ${[...byName.keys()].join(", ")}.`
                )
              )
            : Result.succeed(served)
        })
      )
    const sockets = []
    for (const [name, socket] of Object.entries(config.sockets ?? {})) {
      if (ownCallers.includes(name)) {
        return yield* Result.fail(
          misconfigured(
            `broker.sockets.${name}`,
            "has a name that the audit gives to another way in",
            "Give it a name of its own."
          )
        )
      }
      sockets.push({
        ...socket,
        name,
        served: yield* pick(`broker.sockets.${name}.flows`, socket.flows)
      })
    }
    const taken = new Set(sockets.flatMap(({ served }) => served))
    const loopback =
      config.flows === undefined
        ? flows.filter((served) => !taken.has(served))
        : yield* pick("broker.flows", config.flows)
    return { loopback, sockets }
  })

/** What a flow's clients will ask it for, as far as the config tells. */
const typical = (served: ServedFlow, config: BrokerConfig): TokenRequest.TokenRequest => {
  const { name } = served.flow
  const resources = Object.entries(config.azure?.resources ?? {})
  const [resource] = resources.find(([, flow]) => flow === name) ?? []
  if (resource !== undefined) return { scopes: [`${resource}/.default`] }
  const audience =
    config.tokenFiles?.find(({ flow }) => flow === name)?.audience ??
    (served.issues === "Assertion" && (config.gce?.identityFlow ?? name) === name
      ? config.gce?.audiences?.[0]
      : undefined)
  return audience === undefined ? tokenRequest(served) : { audience }
}

/** The protocols over some of the flows. */
const routesOf = (
  flows: ReadonlyArray<ServedFlow>,
  config: BrokerConfig,
  secrets: Secrets,
  clock: Clock.Clock
): Result.Result<ReadonlyArray<readonly [string, Route]>, FederationError> =>
  Result.gen(function* () {
    const spoken = new Set<SecretlessProtocol>(config.withoutSecret ?? secretlessProtocols)
    const resource = yield* azure.resolver(flows, config.azure)
    const credentials = yield* aws.resolve(flows, config.aws)
    const metadata = yield* gce.routes(flows, config.gce, clock)
    const unless = (name: SecretlessProtocol, route: Route): Route =>
      spoken.has(name) ? route : silent(route, name)
    return [
      [azure.paths.appService, azure.appService(resource, secrets.azure, clock)],
      [azure.paths.imds, unless("azure-imds", azure.imds(resource, clock))],
      [azure.paths.cloudShell, unless("azure-cloud-shell", azure.cloudShell(resource, clock))],
      [aws.paths.container, aws.container(credentials, secrets.aws, clock)],
      ...flows
        .filter((each) => isIssuing(each, "AwsCredentials"))
        .map(
          (served) =>
            [
              `${aws.paths.container}/${served.flow.name}`,
              aws.container(served, secrets.aws, clock)
            ] as const
        ),
      ...aws
        .imds(credentials, config.aws, secrets.aws, clock)
        .map(([path, route]) => [path, unless("aws-imds", route)] as const),
      // Where it is not spoken nobody is there: SDKs look elsewhere.
      ...(spoken.has("gce") ? metadata : []),
      ...flows
        .filter((each) => isIssuing(each, "Assertion"))
        .map(
          (served) =>
            [
              subjectToken.path(served.flow.name),
              subjectToken.subjectToken(served, secrets.broker, clock)
            ] as const
        )
    ]
  })

/** A protocol that is switched off says so. */
const silent = (route: Route, name: SecretlessProtocol): Route => ({
  ...route,
  handle: () => route.refuse(off(name))
})

const off = (name: SecretlessProtocol): Refusal =>
  refusal(
    "invalid_request",
    `This broker does not speak ${name}; list it under broker.withoutSecret.`
  )
