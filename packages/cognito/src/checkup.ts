/** What can be looked at of an identity pool before a token is asked for. */
import type { IdentityPool } from "@aws-sdk/client-cognito-identity"
import { callerFinding } from "@federate/aws-sdk"
import type { Reason } from "@federate/core"
import type { Platform } from "@federate/http"
import { difference, ofReason } from "@federate/trust"
import type { Checkup, Finding } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import type { ClientOptions } from "./client.ts"
import type { ExchangerOptions } from "./exchanger.ts"
import { regionOf } from "./pool.ts"
import { developerProviderOf } from "./source.ts"
import type { Options } from "./source.ts"

type Source = Pick<Options, "identityPoolId" | "logins" | "endpoint">

/** Of the source: whose AWS credentials there are; whether the pool exists, in its region, with this developer provider. */
export const sourceCheckup: Checkup<Source, Platform> = {
  type: "cognito",
  look: Effect.fnUntraced(function* ({ endpoint, identityPoolId, logins }, { fetch }) {
    const place = Result.all({
      provider: developerProviderOf(Object.keys(logins)),
      region: regionOf(identityPoolId)
    })
    // The flow cannot be made then, which was told.
    if (Result.isFailure(place)) return []
    const { provider, region } = place.success
    const caller = yield* callerFinding({ region, fetch })
    if (caller.verdict === "wrong") return [caller]
    const pool = yield* Effect.result(
      describe({ region, endpoint, fetch }, identityPoolId, provider)
    )
    return [
      caller,
      Result.isSuccess(pool)
        ? ofPool(pool.success, identityPoolId, region, provider)
        : unread(pool.failure)
    ]
  })
}

/** Of the exchanger: whether the pool has a role at all for who comes with its tokens. */
export const exchangerCheckup: Checkup<
  Pick<ExchangerOptions, "identityPoolId" | "endpoint">,
  Platform
> = {
  type: "cognito",
  look: Effect.fnUntraced(function* ({ endpoint, identityPoolId }, { fetch }) {
    const region = regionOf(identityPoolId)
    if (Result.isFailure(region)) return []
    const client = yield* makeClient({ region: region.success, endpoint, fetch })
    const called = yield* Effect.result(
      client.call(({ client: cognito, sdk }, abortSignal) =>
        cognito.send(new sdk.GetIdentityPoolRolesCommand({ IdentityPoolId: identityPoolId }), {
          abortSignal
        })
      )
    )
    // The exchange itself needs neither AWS credentials nor this right.
    if (Result.isFailure(called) || called.success.output === undefined) {
      return [
        {
          verdict: "unknown",
          subject: "roles of the pool",
          what: "Whether the pool has a role for its identities was not looked at: that takes AWS credentials with `cognito-identity:GetIdentityPoolRoles`."
        }
      ]
    }
    const role = called.success.output.Roles?.["authenticated"]
    return [
      role === undefined
        ? {
            verdict: "wrong",
            subject: "roles of the pool",
            what: `The pool ${identityPoolId} has no role for authenticated identities.`,
            why: "What is given for a token of the pool's are credentials of that role.",
            fix: `Give it one that trusts the pool: \`aws cognito-identity set-identity-pool-roles --identity-pool-id ${identityPoolId} --roles authenticated=ROLE_ARN\`.`
          }
        : {
            verdict: "right",
            subject: "roles of the pool",
            what: `Authenticated identities of the pool get ${role}.`
          }
    ]
  })
}

const describe = Effect.fnUntraced(function* (
  options: ClientOptions,
  identityPoolId: string,
  provider: string
) {
  const client = yield* makeClient(options)
  const { answer, output } = yield* client.call(({ client: cognito, sdk }, abortSignal) =>
    cognito.send(new sdk.DescribeIdentityPoolCommand({ IdentityPoolId: identityPoolId }), {
      abortSignal
    })
  )
  return (
    output ??
    (yield* Effect.fail(
      classify(answer, { identityPoolId, region: options.region, provider }, mayNotRead)
    ))
  )
})

const looking =
  "It is for looking alone, and a flow does without: allow `cognito-identity:DescribeIdentityPool` on the pool to have it looked at."

const mayNotRead = { AccessDeniedException: looking, NotAuthorizedException: looking }

const asked = "It is the pool that signs the assertion, for its own developer provider alone."

/** Only that there is no such pool is certain. */
const unread = (reason: Reason): Finding => ({
  ...ofReason("pool", reason),
  why: asked,
  ...(!(reason._tag === "Rejected" && reason.code === "ResourceNotFoundException") && {
    verdict: "unknown"
  })
})

const ofPool = (
  { DeveloperProviderName, IdentityPoolName }: IdentityPool,
  identityPoolId: string,
  region: string,
  provider: string
): Finding => {
  const pool = `The pool "${IdentityPoolName}" is in ${region}`
  if (DeveloperProviderName === provider) {
    return {
      verdict: "right",
      subject: "pool",
      what: `${pool}, with the developer provider "${provider}".`
    }
  }
  const why =
    DeveloperProviderName === undefined
      ? undefined
      : difference(provider, DeveloperProviderName)?.meaning
  return {
    verdict: "wrong",
    subject: "pool",
    what: `${pool}, with ${DeveloperProviderName === undefined ? "no developer provider" : `the developer provider "${DeveloperProviderName}"`}, and \`logins\` names "${provider}".`,
    why: why ?? asked,
    fix:
      DeveloperProviderName === undefined
        ? `Give the pool the developer provider, which can be set once: \`aws cognito-identity update-identity-pool --identity-pool-id ${identityPoolId} --developer-provider-name ${provider} …\`.`
        : `Write exactly "${DeveloperProviderName}" in \`logins\`.`
  }
}
