/** A flow as the file describes it. */
import { AssertionSource, Flow, TokenExchanger } from "@federate/core"
import type { Adapter, Credential, FederationError, RefreshPolicy } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Problem } from "./ConfigError.ts"
import { adapted } from "./adapted.ts"
import { isMapping, problem, section, unknownKeys } from "./decode.ts"
import type { Settings } from "./decode.ts"
import type { Path } from "./path.ts"
import { Refresh, refreshPolicy, Retry, retryPolicy } from "./policies.ts"
import { alone, first, sourced } from "./SourceDefinition.ts"
import type { Sources, Surroundings } from "./SourceDefinition.ts"

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

/** What a flow is made of, each made by itself. */
interface Parts {
  readonly source: Effect.Effect<AssertionSource.AssertionSource, FederationError>
  readonly exchanger: Effect.Effect<
    TokenExchanger.TokenExchanger<Credential.Credential>,
    FederationError
  >
}

/** Decoded, checked, not made yet. */
export interface FlowDefinition {
  readonly name: string
  /** The adapters' types; of several sources joined by bars, `flow NAME` where it is another flow. */
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
  /** The source's adapter, and those of the sources beside it and under it, each with what its own schema made of its settings. */
  readonly sources: ReadonlyArray<{ readonly type: string; readonly settings: unknown }>
  /** What the exchanger's own schema made of its settings; nothing without an exchanger. */
  readonly exchangerSettings: unknown
  /** All that the file says of it, variables put in: equal (`Equal.equals`) for definitions that make the same flow. */
  readonly identity: Redacted.Redacted
  /** Source and exchanger alone, for who goes through a flow step by step. */
  readonly parts: Parts
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
  surroundings: Surroundings<Platform>
): Result.Result<FlowDefinition, ReadonlyArray<Problem>> => {
  const { adapters, platform } = surroundings
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
  const own = part(sourced(described["source"], surroundings, [...path, "source"]))
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
    parts: { source: Effect.map(own.make(alone), first), exchanger: ownExchanger },
    identity: Redacted.make(
      JSON.stringify([described, ...own.over.map(({ identity }) => Redacted.value(identity))])
    ),
    make: Effect.fnUntraced(function* (options = {}) {
      const policy = refresh === undefined ? options.refresh : refreshPolicy(refresh)
      const made = yield* ownExchanger
      const sources: Sources =
        options.source === undefined ? yield* own.make((of) => of.make()) : [options.source]
      // Whichever of them turns out to be here.
      for (const each of sources) {
        const refused = AssertionSource.refusal(each, made)
        if (refused !== undefined) return yield* refused
      }
      return yield* Flow.make<Credential.Credential>({
        name,
        source: first(sources),
        exchanger: made,
        ...(retry !== undefined && { retry: retryPolicy(retry) }),
        ...(policy !== undefined && { refresh: policy })
      })
    })
  })
}
