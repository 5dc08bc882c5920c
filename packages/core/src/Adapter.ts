/**
 * A value that lets a config file name a source or an exchanger: `{ type, config, make }`. Apps list the adapters they
 * know; there is no registry, and nothing is looked up by string but the decoded config's `type`.
 */
import type * as Effect from "effect/Effect"
import type { AssertionSource } from "./AssertionSource.ts"
import type { Credential } from "./Credential.ts"
import type { FederationError } from "./FederationError.ts"
import type { TokenExchanger } from "./TokenExchanger.ts"

/**
 * @typeParam Fields the config's schema, without `type`
 * @typeParam Config what the schema decodes to
 * @typeParam Platform what an app lends to every adapter (its `fetch`)
 */
export interface Adapter<Made, Fields, Config, Platform> {
  /** What a config file writes after `type:`. */
  readonly type: string
  /** One line for the docs and for editors. */
  readonly description: string
  readonly config: Fields
  readonly make: (config: Config, platform: Platform) => Effect.Effect<Made, FederationError>
}

export interface SourceAdapter<Fields, Config, Platform> extends Adapter<
  AssertionSource,
  Fields,
  Config,
  Platform
> {
  /** Whether the issuer counts calls: its assertions are then remembered (`AssertionSource.cached`). */
  readonly metered: boolean
}

/** A source over another one, which a config file describes under its `source:`. */
export interface LayerAdapter<Fields, Config, Platform> extends Omit<
  SourceAdapter<Fields, Config, Platform>,
  "make"
> {
  readonly layer: true
  readonly make: (
    config: Config,
    platform: Platform,
    source: AssertionSource
  ) => Effect.Effect<AssertionSource, FederationError>
}

export interface ExchangerAdapter<
  Fields,
  Config,
  Platform,
  out C extends Credential = Credential
> extends Adapter<TokenExchanger<C>, Fields, Config, Platform> {
  /**
   * What its credentials are: what hands them out must know before the first one comes. An assertion (an ID token, say)
   * comes in the form of an access token, and is for the audience of the request.
   */
  readonly issues: "AccessToken" | "Assertion" | "AwsCredentials"
  /** Whose SDKs they are for, where that is one cloud's. */
  readonly cloud?: "aws" | "azure" | "google"
  /** The identity that its credentials are of, as that cloud's SDKs name it: Azure's client id, Google's e-mail. */
  readonly client?: (config: Config) => string | undefined
  /** What is asked for when the caller does not say. */
  readonly scopes?: (config: Config) => ReadonlyArray<string> | undefined
}
