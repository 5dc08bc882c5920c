/** IAM's client of the AWS SDK, for who sets up a trust: the SDK's package is loaded at the first call. */
import type { IAMClient } from "@aws-sdk/client-iam"
import type { Reason, Remedy } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import { queryError } from "./queryError.ts"

type Sdk = typeof import("@aws-sdk/client-iam")

export interface Iam {
  /** One call, no retries; nothing when what it is about does not exist. */
  readonly call: <Output>(
    send: (client: IAMClient, sdk: Sdk, signal: AbortSignal) => Promise<Output>
  ) => Effect.Effect<Output | undefined, Reason>
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html */
const hints: Readonly<Record<string, string>> = {
  AccessDenied:
    "Whoever these AWS credentials are (`aws sts get-caller-identity`) may not do this: the message names the action and the resource.",
  EntityAlreadyExists: "Somebody has just made it: run the same again.",
  LimitExceeded: "The account has no room for more: the message names the quota.",
  MalformedPolicyDocument: "IAM cannot read the policy: the message says where.",
  DeleteConflict: "Something else still hangs on it: take that off first.",
  InvalidInput: "A name or a value is out of its bounds: the message names it."
}

/** What is being written by another, or was just written, is not so a moment later. */
const remedies: Readonly<Record<string, Remedy>> = {
  EntityAlreadyExists: "waitForTrust",
  ConcurrentModification: "waitForTrust",
  EntityTemporarilyUnmodifiable: "waitForTrust"
}

/** By the AWS SDK's own credential chain; `AWS_ENDPOINT_URL_IAM` is heeded. */
export const makeIam = Effect.fnUntraced(function* (fetch?: Fetch): Effect.fn.Return<Iam> {
  const client = yield* makeClient({
    setting: "AWS credentials",
    fetch,
    load: async (configuration) => {
      const sdk = await import("@aws-sdk/client-iam")
      // IAM is one for all regions, and the SDK wants one named.
      const region = process.env["AWS_REGION"] || "us-east-1"
      return { sdk, iam: new sdk.IAMClient({ ...configuration, region }) }
    }
  })
  return {
    call: Effect.fnUntraced(function* (send) {
      const { answer, output } = yield* client.call(({ iam, sdk }, signal) =>
        send(iam, sdk, signal)
      )
      if (output !== undefined) return output
      const error = yield* queryError(answer)
      if (error?.code === "NoSuchEntity") return undefined
      return yield* Effect.fail(
        classify(answer, error, {
          hints,
          remedies,
          otherwise: "Look the error up in the IAM API reference.",
          facts: {}
        })
      )
    })
  }
})
