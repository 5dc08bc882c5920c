/** Whose AWS credentials these are: GetCallerIdentity, which nobody can be forbidden. */
import type { STSClient } from "@aws-sdk/client-sts"
import type { Reason } from "@federate/core"
import type { Fetch } from "@federate/http"
import { ofReason } from "@federate/trust"
import type { Finding } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import { queryError } from "./queryError.ts"

interface CallerOptions {
  /** Default: the AWS SDK's own (`AWS_REGION`, the profile's). */
  readonly region?: string | undefined
  /** Instead of AWS's own; without it the SDK also heeds `AWS_ENDPOINT_URL_STS`. */
  readonly endpoint?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

/**
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html, by the AWS SDK's own credential chain:
 * `wrong` where there are none, or AWS does not take them.
 */
export const callerFinding = Effect.fnUntraced(function* (
  options: CallerOptions
): Effect.fn.Return<Finding> {
  const called = yield* Effect.result(identify(options))
  if (Result.isFailure(called)) {
    return {
      ...ofReason("credentials", called.failure),
      why: "Who signs the request for an assertion is whom the assertion is about."
    }
  }
  const { Account, Arn } = called.success
  return {
    verdict: "right",
    subject: "credentials",
    what: `The AWS credentials are those of ${Arn}, in the account ${Account}.`
  }
})

const identify = Effect.fnUntraced(function* ({ endpoint, fetch, region }: CallerOptions) {
  const client = yield* makeClient({
    setting: "AWS credentials",
    fetch,
    load: async (configuration) => {
      const sdk = await import("@aws-sdk/client-sts")
      const sts: STSClient = new sdk.STSClient({
        ...configuration,
        ...(region !== undefined && { region }),
        ...(endpoint !== undefined && { endpoint })
      })
      return { sdk, sts }
    }
  })
  const ask = Effect.gen(function* () {
    const { answer, output } = yield* client.call(({ sdk, sts }, abortSignal) =>
      sts.send(new sdk.GetCallerIdentityCommand({}), { abortSignal })
    )
    return (
      output ??
      (yield* Effect.fail(
        classify(answer, yield* queryError(answer), {
          hints: {},
          otherwise: "Look the error up in the AWS STS API reference.",
          facts: {}
        })
      ))
    )
  })
  // The SDK reckons with a wrong clock from its second call on.
  return yield* Effect.retry(ask, {
    times: 1,
    while: (reason: Reason) => reason._tag === "Transient" && reason.retryAt === undefined
  })
})
