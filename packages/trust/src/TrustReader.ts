/** Reads the trust that stands on the other side, where whoever asks may read it. */
import type { Assertion, FederationError } from "@federate/core"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Problem } from "./RelyingParty.ts"

/** By which right the trust is read. */
export interface Access {
  /** An access token for the API that keeps the trust. */
  readonly token?: Redacted.Redacted | undefined
}

/** @typeParam Config what the exchanger's schema decodes to */
export interface TrustReader<Config, Platform> {
  /** The exchanger's `type` in a config file. */
  readonly type: string
  /** What the token must be for; absent where it is read by other means, as AWS by its SDK's credentials. */
  readonly scope?: string
  /** What `RelyingParty.records` reads. */
  readonly read: (
    config: Config,
    access: Access,
    platform: Platform
  ) => Effect.Effect<ReadonlyArray<unknown>, FederationError>
  /** What it means that there is no record, and the command that makes one for an assertion. */
  readonly missing: (config: Config, assertion: Assertion.Assertion) => Problem
}
