/** The account's own issuer: outbound web identity federation, switched on once for the whole account. */
import type { Iam } from "@federate/aws-sdk"
import { side } from "@federate/aws-sdk/trust"
import { inConfiguration, Misconfigured } from "@federate/core"
import type { Resource } from "@federate/trust"
import * as Effect from "effect/Effect"

/**
 * It stays on when the trust is taken down: others of the account may rely on it by then.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html
 *
 * @param issuer the pinned one, where one is pinned
 */
export const outboundFederation = (iam: Iam, issuer: string | undefined): Resource => {
  const told = inConfiguration("aws")
  return {
    side,
    kind: "outbound federation",
    name: "of the account",
    makes: [],
    own: [],
    desired: () => ({ enabled: true }),
    read: Effect.fnUntraced(function* () {
      const info = yield* Effect.catchIf(
        iam.call((client, sdk, abortSignal) =>
          client.send(new sdk.GetOutboundWebIdentityFederationInfoCommand({}), { abortSignal })
        ),
        (reason) => reason._tag === "Rejected" && reason.code.startsWith("FeatureDisabled"),
        () => Effect.undefined
      )
      const { IssuerIdentifier: own, JwtVendingEnabled: enabled } = info ?? {}
      if (enabled !== true) return undefined
      if (issuer !== undefined && own !== issuer) {
        return yield* Effect.fail(
          new Misconfigured({
            setting: "issuer",
            problem: `is pinned to ${issuer}, and this account's is ${own}`,
            hint: "Take credentials of the flow's account (`aws sts get-caller-identity` tells whose these are); or pin this account's."
          })
        )
      }
      return { state: { enabled }, known: {}, isOurs: false }
    }, told),
    create: () =>
      iam
        .call((client, sdk, abortSignal) =>
          client.send(new sdk.EnableOutboundWebIdentityFederationCommand({}), { abortSignal })
        )
        .pipe(Effect.asVoid, told),
    update: () => Effect.void,
    remove: () => Effect.void
  }
}
