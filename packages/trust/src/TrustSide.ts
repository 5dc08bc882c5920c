/** What one side of a trust is made of, for an adapter of a config file. */
import type { AssertionSource, FederationError } from "@federate/core"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Prerequisite, Known, Part } from "./Resource.ts"

/** Whose trust is set up, and by which right. */
export interface Means<Platform> {
  /** The flow's name. */
  readonly flow: string
  /** An access token for the API that keeps the trust, by its scope; AWS's SDK finds credentials by itself. */
  readonly token: (scope: string) => Effect.Effect<Redacted.Redacted, FederationError>
  /**
   * The assertion that the trust is about, for the relying party's side to list where its `iss`, `sub` and `aud` are
   * needed.
   *
   * @param asks what that side asks of it; nothing while what it depends on is not known
   */
  readonly assertion: (
    asks: (known: Known) => AssertionSource.AssertionRequest | undefined
  ) => Prerequisite
  readonly platform: Platform
}

/**
 * The trust that an adapter's settings need, in the order in which it is made. Settings that are known stand in `known`
 * from the start, under their own names; one of those that setting it up makes known may be missing there, and stands
 * in the settings as its variable (`${AZURE_CLIENT_ID}`).
 *
 * @typeParam Fields the schema of the few names that must be chosen, each with a default
 * @typeParam Names what it decodes to, as the `trust:` section has it
 * @typeParam Config what the adapter's schema decodes to
 */
export interface TrustSide<Fields, Names, Config, Platform> {
  /** The adapter's `type`. */
  readonly type: string
  readonly names: Fields
  /** Settings that setting it up makes known. */
  readonly provides: ReadonlyArray<string>
  /** Settings and names that cannot work are `Misconfigured`. Nothing is called. */
  readonly parts: (
    config: Config,
    names: Names,
    means: Means<Platform>
  ) => Effect.Effect<ReadonlyArray<Part>, FederationError>
}
