/** A flow as the file describes it. */
import { AssertionSource, Flow, TokenExchanger } from "@federate/core"
import type { Adapter, Credential, FederationError, RefreshPolicy } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Problem } from "./ConfigError.ts"
import { alternatives, decode, isMapping, problem, section, unknownKeys } from "./decode.ts"
import type { Mapping, Settings } from "./decode.ts"
import type { Path } from "./path.ts"
import { Refresh, refreshPolicy, Retry, retryPolicy } from "./policies.ts"

/**
 * The adapters that an app knows. Their settings are each adapter's own: `never` takes any of them, and what is handed
 * to `make` was decoded by the very schema beside it.
 */
export interface Adapters<Platform> {
  readonly sources: ReadonlyArray<
    | Adapter.SourceAdapter<Settings<unknown>, never, Platform>
    | Adapter.LayerAdapter<Settings<unknown>, never, Platform>
  >
  readonly exchangers: ReadonlyArray<Adapter.ExchangerAdapter<Settings<unknown>, never, Platform>>
}

export interface MakeOptions {
  /** In place of the flow's own source: what its exchanger makes of another assertion. */
  readonly source?: AssertionSource.AssertionSource
  /** Where the file does not say. Default: `RefreshPolicy.standard`. */
  readonly refresh?: RefreshPolicy.RefreshPolicy
}

/** What a flow is made of. */
interface Parts {
  readonly source: AssertionSource.AssertionSource
  readonly exchanger: TokenExchanger.TokenExchanger<Credential.Credential>
}

/** Decoded, checked, not made yet. */
export interface FlowDefinition {
  readonly name: string
  /** The adapters' types. */
  readonly source: string
  readonly exchanger: string | undefined
  /** What its credentials are. */
  readonly issues: "Assertion" | "AccessToken" | "AwsCredentials"
  /** Whose SDKs they are for, where that is one cloud's. */
  readonly cloud: "aws" | "azure" | "google" | undefined
  /** The identity that they are of, as that cloud's SDKs name it. */
  readonly client: string | undefined
  /** What is asked for when the caller does not say. */
  readonly scopes: ReadonlyArray<string> | undefined
  /** The source's adapter, and those of the sources under it, each with what its own schema made of its settings. */
  readonly sources: ReadonlyArray<{ readonly type: string; readonly settings: unknown }>
  /** What the exchanger's own schema made of its settings; nothing without an exchanger. */
  readonly exchangerSettings: unknown
  /** All that the file says of it, variables put in: equal (`Equal.equals`) for definitions that make the same flow. */
  readonly identity: Redacted.Redacted
  /** Makes source and exchanger alone, for who goes through a flow step by step. */
  readonly parts: Effect.Effect<Parts, FederationError>
  /** Makes the flow. It lives as long as the scope. */
  readonly make: (
    options?: MakeOptions
  ) => Effect.Effect<Flow.Flow<Credential.Credential>, FederationError, Scope.Scope>
}

const flowName = /^[A-Za-z0-9][\w.-]{0,62}$/

/** Holds a flow's description against the adapters' schemas. */
export const defineFlow = <Platform>(
  name: string,
  described: unknown,
  adapters: Adapters<Platform>,
  platform: Platform
): Result.Result<FlowDefinition, ReadonlyArray<Problem>> => {
  const path: Path = ["flows", name]
  if (!isMapping(described)) return Result.fail([problem(path, "must be a mapping with a source")])
  const problems = [...unknownKeys(described, ["source", "exchanger", "retry", "refresh"], path)]
  if (!flowName.test(name)) {
    problems.push(
      problem(path, "a flow's name is of letters, digits, dots, dashes and underscores, 63 at most")
    )
  }
  const part = <A>(decoded: Result.Result<A, ReadonlyArray<Problem>>): A | undefined => {
    if (Result.isSuccess(decoded)) return decoded.success
    problems.push(...decoded.failure)
    return undefined
  }
  const optional = (key: string) => described[key] !== undefined && described[key] !== null
  const own = part(sourced(described["source"], adapters.sources, platform, [...path, "source"]))
  const exchanger = optional("exchanger")
    ? part(adapted(described["exchanger"], adapters.exchangers, [...path, "exchanger"]))
    : undefined
  const retry = optional("retry")
    ? part(section(Retry, described["retry"], [...path, "retry"]))
    : undefined
  const refresh = optional("refresh")
    ? part(section(Refresh, described["refresh"], [...path, "refresh"]))
    : undefined
  if (problems.length > 0 || own === undefined) return Result.fail(problems)

  const ownExchanger =
    exchanger === undefined
      ? Effect.succeed(TokenExchanger.passThrough)
      : Effect.suspend(() => exchanger.adapter.make(exchanger.settings, platform))
  return Result.succeed({
    name,
    source: own.type,
    exchanger: exchanger?.adapter.type,
    issues: exchanger?.adapter.issues ?? "Assertion",
    cloud: exchanger?.adapter.cloud,
    client: exchanger?.adapter.client?.(exchanger.settings),
    scopes: exchanger?.adapter.scopes?.(exchanger.settings),
    sources: own.adapters,
    exchangerSettings: exchanger?.settings,
    parts: Effect.all({ source: own.make, exchanger: ownExchanger }),
    identity: Redacted.make(JSON.stringify(described)),
    make: Effect.fnUntraced(function* (options = {}) {
      const policy = refresh === undefined ? options.refresh : refreshPolicy(refresh)
      return yield* Flow.make<Credential.Credential>({
        name,
        source: options.source ?? (yield* own.make),
        exchanger: yield* ownExchanger,
        ...(retry !== undefined && { retry: retryPolicy(retry) }),
        ...(policy !== undefined && { refresh: policy })
      })
    })
  })
}

/** A source as it is described, not made yet. */
interface Sourced {
  readonly type: string
  readonly adapters: FlowDefinition["sources"]
  readonly make: Effect.Effect<AssertionSource.AssertionSource, FederationError>
}

/** The source that is described; a layer over the one that is described in it. */
export const sourced = <Platform>(
  described: unknown,
  adapters: Adapters<Platform>["sources"],
  platform: Platform,
  path: Path
): Result.Result<Sourced, ReadonlyArray<Problem>> => {
  const { source: under, ...own }: Mapping = isMapping(described) ? described : {}
  const isLayer = adapters.some((each) => "layer" in each && each.type === own["type"])
  const inner = () =>
    sourced(
      under,
      adapters.filter((each) => !("layer" in each)),
      platform,
      [...path, "source"]
    )
  const outer = adapted(isLayer ? own : described, adapters, path)
  if (Result.isFailure(outer)) {
    const below = isLayer ? inner() : Result.succeed(undefined)
    return Result.fail([...outer.failure, ...(Result.isFailure(below) ? below.failure : [])])
  }
  const { adapter, settings } = outer.success
  const asked = (make: Sourced["make"], below: Sourced["adapters"] = []): Sourced => ({
    type: adapter.type,
    adapters: [{ type: adapter.type, settings }, ...below],
    make: adapter.metered ? Effect.flatMap(make, AssertionSource.cached) : make
  })
  return "layer" in adapter
    ? Result.map(inner(), ({ adapters: below, make }) =>
        asked(
          Effect.flatMap(make, (source) => adapter.make(settings, platform, source)),
          below
        )
      )
    : Result.succeed(asked(Effect.suspend(() => adapter.make(settings, platform))))
}

/** The adapter that `type` names, with its settings. */
const adapted = <A extends { readonly type: string; readonly config: Settings<unknown> }>(
  described: unknown,
  adapters: ReadonlyArray<A>,
  path: Path
): Result.Result<{ readonly adapter: A; readonly settings: never }, ReadonlyArray<Problem>> => {
  const types = adapters.map(({ type }) => type)
  if (!isMapping(described)) {
    return Result.fail([problem(path, `must be a mapping with a type: ${types.join(", ")}`)])
  }
  const { type, ...settings }: Mapping = described
  const adapter = adapters.find((each) => each.type === type)
  if (adapter === undefined) {
    return Result.fail([
      problem(
        [...path, "type"],
        typeof type === "string"
          ? `names no adapter; ${alternatives(type, types)}`
          : `is missing; known are ${types.join(", ")}`
      )
    ])
  }
  return Result.map(decode(adapter.config, settings, path), (decoded) => ({
    adapter,
    // Decoded by the adapter's own schema, which is what its `make` takes.
    settings: decoded as never
  }))
}
