/** What can be looked at of an account before a token is asked for. */
import { callerFinding, makeIam } from "@federate/aws-sdk"
import type { Platform } from "@federate/http"
import type { Checkup, Finding } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SourceOptions } from "./source.ts"

/** Whose AWS credentials there are, and whether the account lets tokens out. */
export const sourceCheckup: Checkup<Pick<SourceOptions, "region" | "endpoint">, Platform> = {
  type: "aws",
  look: Effect.fnUntraced(function* ({ endpoint, region }, { fetch }) {
    const caller = yield* callerFinding({ region, endpoint, fetch })
    return caller.verdict === "wrong" ? [caller] : [caller, yield* outbound(fetch)]
  })
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOutboundWebIdentityFederationInfo.html */
const outbound = Effect.fnUntraced(function* (fetch: Platform["fetch"]): Effect.fn.Return<Finding> {
  const iam = yield* makeIam(fetch)
  const info = yield* Effect.result(
    iam.call((client, sdk, abortSignal) =>
      client.send(new sdk.GetOutboundWebIdentityFederationInfoCommand({}), { abortSignal })
    )
  )
  const subject = "outbound federation"
  if (Result.isFailure(info)) {
    return info.failure._tag === "Rejected" && info.failure.code === "FeatureDisabled"
      ? off
      : {
          verdict: "unknown",
          subject,
          what: "Whether outbound federation is on was not looked at: that takes `iam:GetOutboundWebIdentityFederationInfo`, and a flow does without."
        }
  }
  const { IssuerIdentifier, JwtVendingEnabled } = info.success ?? {}
  return JwtVendingEnabled === true && IssuerIdentifier !== undefined
    ? { verdict: "right", subject, what: `The account's issuer is ${IssuerIdentifier}.` }
    : off
})

const off: Finding = {
  verdict: "wrong",
  subject: "outbound federation",
  what: "Outbound federation is off in this account.",
  why: "Only where it is on does AWS STS sign tokens for others (GetWebIdentityToken).",
  fix: "Switch it on, once: `aws iam enable-outbound-web-identity-federation`; it prints the issuer that the other side must trust."
}
