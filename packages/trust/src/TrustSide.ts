/** What one side of a trust is made of, for an adapter of a config file. */
import type { FederationError } from "@federate/core"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Resource } from "./Resource.ts"

/** Whose trust is set up, and by which right. */
export interface Means<Platform> {
  /** The flow's name. */
  readonly flow: string
  /** An access token for the API that keeps the trust; AWS's SDK finds credentials by itself. */
  readonly token: Effect.Effect<Redacted.Redacted, FederationError>
  readonly platform: Platform
}

/**
 * The trust that an adapter's settings need. A setting that is not known yet is absent from `known`, and stands in the
 * settings as its variable.
 *
 * @typeParam Names the few names that must be chosen, as the `trust:` section has them
 * @typeParam Config what the adapter's schema decodes to
 */
export interface TrustSide<Fields, Names, Config, Platform> {
  /** The adapter's `type`. */
  readonly type: string
  readonly names: Fields
  /** Settings that setting it up makes known, under their own names. */
  readonly provides: ReadonlyArray<string>
  readonly resources: (
    config: Config,
    names: Names,
    means: Means<Platform>
  ) => Effect.Effect<ReadonlyArray<Resource>, FederationError>
}
