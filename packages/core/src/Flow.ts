/**
 * One source, one exchanger, and the policy around them: retry, refresh, cache. What a user names and asks for.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AssertionSource } from "./AssertionSource.ts"
import { same } from "./Credential.ts"
import type { AccessToken, Credential } from "./Credential.ts"
import type { FederationError } from "./FederationError.ts"
import { cached } from "./internal/cached.ts"
import { direct } from "./internal/direct.ts"
import { refusal } from "./internal/pairing.ts"
import type { Points, RefreshPolicy } from "./RefreshPolicy.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"
import * as TokenExchanger from "./TokenExchanger.ts"
import * as TokenRequest from "./TokenRequest.ts"

export { cached } from "./internal/cached.ts"
export { direct } from "./internal/direct.ts"

export interface Flow<out C extends Credential = AccessToken> {
  /** Public: it stands in errors, spans and on status pages. */
  readonly name: string
  /** Reads memory each time it is run, never when it is built. */
  readonly credential: (request?: TokenRequest.TokenRequest) => Effect.Effect<C, FederationError>
  /** What memory holds, by `TokenRequest.key`: a plain synchronous read, for status pages and hot paths. */
  readonly entries: ReadonlyMap<string, FlowEntry<C>>
}

/** What a flow remembers of one request. Every read is of now. */
export interface FlowEntry<out C extends Credential = AccessToken> {
  /** What was asked for, without `rejected`. */
  readonly request: TokenRequest.TokenRequest
  /** The credential in hand, fresh or not. */
  readonly credential: C | undefined
  /** The larger of monotonic and wall time since its request left, in milliseconds. */
  readonly age: number | undefined
  /** Its soft point, hard point and life, as ages. */
  readonly points: Points | undefined
  /** Whether a flight is under way. */
  readonly refreshing: boolean
  /** The error of the last flight, when it failed. */
  readonly error: FederationError | undefined
  /** Epoch milliseconds before which no flight starts, and a caller gets `error` at once when nothing is valid. */
  readonly retryAt: number | undefined
  /** How often the credential was handed out before its soft point. */
  readonly hits: number
  /** Flights that brought a credential, and that did not. */
  readonly succeeded: number
  readonly failed: number
  /** The credential when it is before its soft point; counts a hit. */
  readonly current: () => C | undefined
}

/** What a direct flow is made of. */
export interface DirectOptions<C extends Credential = AccessToken> {
  /** Default: `<source> to <exchanger>`. */
  readonly name?: string
  readonly source: AssertionSource
  readonly exchanger: TokenExchanger.TokenExchanger<C>
  /** Default: `RetryPolicy.standard`. */
  readonly retry?: RetryPolicy
}

export interface Options<C extends Credential = AccessToken> extends DirectOptions<C> {
  /** Default: `RefreshPolicy.standard`. */
  readonly refresh?: RefreshPolicy
}

/**
 * The usual flow: `Flow.cached(Flow.direct({ source, exchanger, retry }), refresh)`, after a look at whether the pair
 * can work at all. Without an exchanger it hands out its assertion: `TokenExchanger.passThrough`.
 *
 * It lives as long as the scope that it is made in, and lives on what surrounds it there: its flights log, trace and tell
 * the time by the logger, tracer and clock of who made it, not of who asks. An impossible pair (an algorithm that the exchanger does not take,
 * a demanded audience that the source cannot give) is `Misconfigured`, before any call.
 *
 * @example
 * ```ts
 * const flow = yield* Flow.make({ source, exchanger })
 * const { token } = yield* flow.credential({ scopes: ["https://graph.microsoft.com/.default"] })
 * ```
 */
export const make: {
  <C extends Credential>(options: Options<C>): Effect.Effect<Flow<C>, FederationError, Scope.Scope>
  (options: Omit<Options, "exchanger">): Effect.Effect<Flow, FederationError, Scope.Scope>
} = Effect.fnUntraced(function* ({
  exchanger = TokenExchanger.passThrough,
  refresh,
  ...options
}: Omit<Options<Credential>, "exchanger"> & Partial<Options<Credential>>) {
  const refused = refusal(options.source, exchanger)
  if (refused !== undefined) return yield* refused
  return yield* cached(direct({ ...options, exchanger }), refresh)
  // The overloads tie the credential to the exchanger; the one body serves both.
}) as never

/**
 * The credential when memory holds one before its soft point, else nothing. Synchronous: no fiber, no span, no timer.
 * The only place that decides freshness.
 */
export const current = <C extends Credential>(
  flow: Flow<C>,
  request?: TokenRequest.TokenRequest
): C | undefined => {
  const credential = flow.entries.get(TokenRequest.key(request))?.current()
  return credential !== undefined &&
    request?.rejected !== undefined &&
    same(credential, request.rejected)
    ? undefined
    : credential
}
