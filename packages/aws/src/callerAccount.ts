/** Whose account the AWS credentials are of that set a trust up. */
import { makeClient } from "@federate/aws-sdk"
import { side } from "@federate/aws-sdk/trust"
import { inConfiguration, Misconfigured } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Prerequisite } from "@federate/trust"
import * as Effect from "effect/Effect"
import { classifyCaller } from "./classify.ts"

export interface Caller {
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  /** The account that it must be, where a setting says so, and that setting's name. */
  readonly expected?: { readonly account: string; readonly setting: string } | undefined
  readonly platform: Platform
}

/**
 * Makes `accountId` known. Nothing is written with the credentials of another account than the flow's own: what would
 * be made there nobody would find.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export const callerAccount = Effect.fnUntraced(function* ({
  endpoint,
  expected,
  platform,
  region
}: Caller): Effect.fn.Return<Prerequisite> {
  const client = yield* makeClient({
    setting: "AWS credentials",
    fetch: platform.fetch,
    load: async (configuration) => {
      const sdk = await import("@aws-sdk/client-sts")
      const sts = new sdk.STSClient({
        ...configuration,
        ...(region !== undefined && { region }),
        ...(endpoint !== undefined && { endpoint })
      })
      return { sdk, sts }
    }
  })
  return {
    side,
    kind: "account",
    name: expected?.account ?? "the administrator's",
    makes: ["accountId"],
    ask: Effect.fnUntraced(function* () {
      const { answer, output } = yield* client.call(({ sdk, sts }, abortSignal) =>
        sts.send(new sdk.GetCallerIdentityCommand({}), { abortSignal })
      )
      const account = output?.Account
      if (account === undefined) return yield* classifyCaller(answer)
      if (expected !== undefined && expected.account !== account) {
        return yield* Effect.fail(
          new Misconfigured({
            setting: expected.setting,
            problem: `is of the account ${expected.account}, and these AWS credentials are of ${account}`,
            hint: "Take credentials of the flow's account (AWS_PROFILE); or correct the setting."
          })
        )
      }
      return { accountId: account }
    }, inConfiguration("aws"))
  }
})
