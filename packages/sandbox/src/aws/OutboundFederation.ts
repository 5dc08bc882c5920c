/** Outbound federation of the account, on and off: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html */
import * as Effect from "effect/Effect"
import * as Account from "./Account.ts"
import { AwsError } from "./AwsError.ts"
import { operation } from "./IamOperation.ts"
import type { Operation } from "./IamOperation.ts"
import * as Outbound from "./Outbound.ts"

/** @param base the https base URL, under which the account's own issuer is */
export const outboundFederation = (
  account: Account.Account,
  base: string
): ReadonlyArray<Operation> => [
  operation(
    "EnableOutboundWebIdentityFederation",
    {},
    Effect.fnUntraced(function* (_, call) {
      yield* Account.authorize(account, call, "iam:EnableOutboundWebIdentityFederation", "*")
      if (account.outbound?.enabled === true) {
        return yield* new AwsError({
          code: "FeatureEnabled",
          message: "Outbound web identity federation is already enabled for this account.",
          status: 409
        })
      }
      return { IssuerIdentifier: Outbound.enable(account, base).issuer }
    })
  ),
  operation(
    "GetOutboundWebIdentityFederationInfo",
    {},
    Effect.fnUntraced(function* (_, call) {
      yield* Account.authorize(account, call, "iam:GetOutboundWebIdentityFederationInfo", "*")
      const { issuer } = yield* enabled(account)
      return { IssuerIdentifier: issuer, JwtVendingEnabled: "true" }
    })
  ),
  operation(
    "DisableOutboundWebIdentityFederation",
    {},
    Effect.fnUntraced(function* (_, call) {
      yield* Account.authorize(account, call, "iam:DisableOutboundWebIdentityFederation", "*")
      const outbound = yield* enabled(account)
      outbound.enabled = false
      return undefined
    })
  )
]

const enabled = Effect.fnUntraced(function* ({ outbound }: Account.Account) {
  return outbound?.enabled === true
    ? outbound
    : yield* new AwsError({
        code: "FeatureDisabled",
        message: "Outbound web identity federation is not enabled for this account.",
        status: 404
      })
})
