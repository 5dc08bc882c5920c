/** What a flow is to who awaits its credentials. */
import type { AbortSignalLike } from "./AbortSignalLike.ts"
import type { AccessToken, AwsCredentials } from "./Credential.ts"
import type { AssertionSource } from "./adapters.ts"
import type { Duration } from "./Duration.ts"

/** What is asked of a flow; the same request gets the same credential for as long as it is fresh. */
export interface TokenRequest {
  /** OAuth scopes (RFC 6749 §3.3). Without them the exchanger's own default serves. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** Whom the token is for, where a request can say (RFC 8693 §2.1; an ID token's audience). */
  readonly audience?: string | undefined
  /** A claims challenge (OpenID Connect Core §5.5), as JSON text. */
  readonly claims?: string | undefined
  /** "Anything but this one": it was refused where it was used. */
  readonly rejected?: AccessToken | AwsCredentials | undefined
}

export interface CallOptions {
  /** Its abort ends this call alone: what is under way goes on for whoever else waits. */
  readonly signal?: AbortSignalLike | undefined
}

export interface TokenOptions extends Omit<TokenRequest, "scopes">, CallOptions {}

/**
 * Hands out credentials: from memory while they are fresh, refreshed ahead of their end, one request upstream for all
 * who wait. What it rejects with is a `FederationError`, or what the signal says.
 */
export interface Flow<
  out C extends AccessToken | AwsCredentials = AccessToken
> extends AsyncDisposable {
  /** Stands in errors and warnings. */
  readonly name: string
  readonly credential: (request?: TokenRequest, options?: CallOptions) => Promise<C>
  /** What memory holds for the request, while it is fresh; nothing else is done. */
  readonly current: (request?: TokenRequest) => C | undefined
  /** Aborts what is under way. Credentials in hand are handed out until their end. */
  readonly close: () => Promise<void>
}

/** A flow that gives access tokens. */
export interface TokenFlow extends Flow<AccessToken> {
  readonly getToken: (
    scopes?: string | ReadonlyArray<string>,
    options?: TokenOptions
  ) => Promise<AccessToken>
}

/** How a flow tries again. */
export interface RetryOptions {
  /** In all, the first included. Default 4. */
  readonly attempts?: number
  /** The longest first pause; it doubles each time. Default 250 ms. */
  readonly firstDelay?: Duration
  /** The longest pause. Default 20 s. */
  readonly maximumDelay?: Duration
  /** How long one attempt may take. Default 10 s. */
  readonly attemptTimeout?: Duration
  /** How long all of them may take. Default 30 s. */
  readonly deadline?: Duration
  /** How long to wait for a trust that was just set up. Default: two quick tries. */
  readonly waitForTrust?: Duration
}

/** When a credential is refreshed. */
export interface RefreshOptions {
  /** The part of its life that a credential is fresh for, where the server does not say: 0 to 0.9. Default 0.75. */
  readonly freshPart?: number
  /** The same for one that lives longer than two hours. Default 0.5. */
  readonly freshPartOfLong?: number
  /** How much earlier it is refreshed at random, as a part of its life: 0 to 0.5. Default 0.1. */
  readonly jitter?: number
  /** How long before its end callers wait for a new one; a tenth of its life at most. Default 60 s. */
  readonly margin?: Duration
  /** How long they wait then. Default 1 s. */
  readonly patience?: Duration
  /** How long a background refresh may take. Default 5 s. */
  readonly backgroundTimeout?: Duration
}

export interface FlowOptions {
  /** Default: the names of source and exchanger. */
  readonly name?: string
  readonly source: AssertionSource
  readonly retry?: RetryOptions
  readonly refresh?: RefreshOptions
}
