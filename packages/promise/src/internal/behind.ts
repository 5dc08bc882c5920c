/** What of core's stands behind the opaque values that callers hold. */
import * as Core from "@federate/core"
import * as Effect from "effect/Effect"
import type { AssertionSource, TokenExchanger } from "../adapters.ts"
import type { AccessToken, AwsCredentials } from "../Credential.ts"
import type { TokenFlow } from "../Flow.ts"

const made = new WeakMap<object, Effect.Effect<unknown, Core.FederationError>>()

/** Puts it behind. */
export const put = (handle: object, effect: Effect.Effect<unknown, Core.FederationError>): void =>
  void made.set(handle, effect)

/** What is none of ours (another copy's of this package, a look-alike) is told by the setting that it stands in. */
export const behind = (
  setting: string,
  handle: object
): Effect.Effect<unknown, Core.FederationError> =>
  made.get(handle) ??
  Effect.fail(
    new Core.FederationError({
      adapter: "flow",
      stage: "configuration",
      reason: new Core.Misconfigured({
        setting,
        problem: "was not made by this package",
        hint: "Make it by a function of @federate/promise, installed once."
      })
    })
  )

// Each kind of handle has what it stands for put behind it.

export const sourceBehind = (source: AssertionSource) =>
  behind("source", source) as Effect.Effect<
    Core.AssertionSource.AssertionSource,
    Core.FederationError
  >

export const exchangerBehind = (exchanger: TokenExchanger<AccessToken | AwsCredentials>) =>
  behind("exchanger", exchanger) as Effect.Effect<
    Core.TokenExchanger.TokenExchanger<Core.AccessToken | Core.AwsCredentials>,
    Core.FederationError
  >

export const flowBehind = (flow: TokenFlow) =>
  behind("flow", flow) as Effect.Effect<Core.Flow.Flow, Core.FederationError>
