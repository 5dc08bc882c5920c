/** `federate.yaml`, decoded into flows. */
import { AssertionSource, Flow, TokenExchanger } from "@federate/core"
import type { Adapter, Credential, FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Yaml from "effect/encoding/Yaml"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { ConfigError } from "./ConfigError.ts"
import type { Problem } from "./ConfigError.ts"
import { alternatives, decode as decodeMapping, isMapping, problem, unknownKeys } from "./decode.ts"
import type { Mapping, Settings } from "./decode.ts"
import type { Path } from "./path.ts"
import { Refresh, refreshPolicy, Retry, retryPolicy } from "./policies.ts"
import { substitute } from "./variables.ts"
import type { Environment } from "./variables.ts"

/**
 * The adapters that an app knows. Their settings are each adapter's own: `never` takes any of them, and what is handed
 * to `make` was decoded by the very schema beside it.
 */
export interface Adapters<Platform> {
  readonly sources: ReadonlyArray<Adapter.SourceAdapter<Settings<unknown>, never, Platform>>
  readonly exchangers: ReadonlyArray<Adapter.ExchangerAdapter<Settings<unknown>, never, Platform>>
}

/** A flow as the file describes it: decoded, checked, not made yet. */
export interface FlowDefinition {
  readonly name: string
  /** The adapters' types. */
  readonly source: string
  readonly exchanger: string | undefined
  /** Makes the flow. It lives as long as the scope. */
  readonly make: Effect.Effect<Flow.Flow<Credential.Credential>, FederationError, Scope.Scope>
}

export interface Config {
  readonly flows: ReadonlyMap<string, FlowDefinition>
}

export interface DecodeOptions<Platform> {
  /** The file's name, for messages. */
  readonly file: string
  readonly adapters: Adapters<Platform>
  readonly platform: Platform
  readonly environment: Environment
}

const flowName = /^[A-Za-z0-9][\w.-]{0,62}$/

/** No file of settings comes near it. In characters. */
const maximumSize = 1024 * 1024

/**
 * Decodes a config file strictly: unknown and doubled keys, unset variables and settings of the wrong kind are told all
 * at once, each with its path and what is known instead. Nothing is called, and no value is quoted.
 */
export const decode = Effect.fnUntraced(function* <Platform>(
  text: string,
  { adapters, environment, file, platform }: DecodeOptions<Platform>
): Effect.fn.Return<Config, ConfigError> {
  const refuse = (problems: ReadonlyArray<Problem>) => new ConfigError({ file, problems })
  if (text.length > maximumSize)
    return yield* refuse([problem([], `is over ${maximumSize} characters long`)])
  const parsed = Result.try({
    try: (): unknown => Yaml.parse(text),
    catch: (error) => `is not YAML: ${error instanceof Error ? error.message : "it cannot be read"}`
  })
  if (Result.isFailure(parsed)) return yield* refuse([problem([], parsed.failure)])
  const { document, problems: unset } = substitute(parsed.success, environment)
  if (!isMapping(document)) {
    return yield* refuse([
      problem([], "has no flows: it must be a mapping that begins with `flows:`")
    ])
  }
  const problems = [...unset, ...unknownKeys(document, ["flows"], [])]
  const flows = new Map<string, FlowDefinition>()
  const { flows: described } = document
  if (!isMapping(described) || Object.keys(described).length === 0) {
    problems.push(
      problem(
        ["flows"],
        "must name at least one flow, such as `graph:`, with its source and exchanger"
      )
    )
  } else {
    for (const [name, flow] of Object.entries(described)) {
      const definition = defineFlow(name, flow, adapters, platform)
      if (Result.isSuccess(definition)) flows.set(name, definition.success)
      else problems.push(...definition.failure)
    }
  }
  if (problems.length > 0) return yield* refuse(problems)
  return { flows }
})

const defineFlow = <Platform>(
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
  const source = part(adapted(described["source"], adapters.sources, [...path, "source"]))
  const exchanger = optional("exchanger")
    ? part(adapted(described["exchanger"], adapters.exchangers, [...path, "exchanger"]))
    : undefined
  const retry = optional("retry")
    ? part(section(Retry, described["retry"], [...path, "retry"]))
    : undefined
  const refresh = optional("refresh")
    ? part(section(Refresh, described["refresh"], [...path, "refresh"]))
    : undefined
  if (problems.length > 0 || source === undefined) return Result.fail(problems)
  return Result.succeed({
    name,
    source: source.adapter.type,
    exchanger: exchanger?.adapter.type,
    make: Effect.gen(function* () {
      const made = yield* source.adapter.make(source.settings, platform)
      return yield* Flow.make<Credential.Credential>({
        name,
        source: source.adapter.metered ? yield* AssertionSource.cached(made) : made,
        exchanger:
          exchanger === undefined
            ? TokenExchanger.passThrough
            : yield* exchanger.adapter.make(exchanger.settings, platform),
        ...(retry !== undefined && { retry: retryPolicy(retry) }),
        ...(refresh !== undefined && { refresh: refreshPolicy(refresh) })
      })
    })
  })
}

const section = <A>(
  schema: Settings<A>,
  described: unknown,
  path: Path
): Result.Result<A, ReadonlyArray<Problem>> =>
  isMapping(described)
    ? decodeMapping(schema, described, path)
    : Result.fail([problem(path, "must be a mapping")])

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
  return Result.map(decodeMapping(adapter.config, settings, path), (decoded) => ({
    adapter,
    // Decoded by the adapter's own schema, which is what its `make` takes.
    settings: decoded as never
  }))
}
