/** What can be told of an identity pool by its id, and of what does not fit it. */
import { Misconfigured } from "@federate/core"
import { endpoint } from "@federate/http"
import * as Result from "effect/Result"

export const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** The region in a pool's id, `REGION:GUID`. */
export const regionOf = (identityPoolId: string): Result.Result<string, Misconfigured> => {
  const region = /^([\w-]{1,30}):[0-9a-f-]{1,36}$/.exec(identityPoolId)?.[1]
  return region === undefined
    ? misconfigured(
        "identityPoolId",
        `"${identityPoolId}" is not of the form REGION:GUID`,
        "Take the identity pool's id, such as eu-central-1:2f4e…, not its name or ARN, and not a user pool's."
      )
    : Result.succeed(region)
}

/**
 * What Cognito calls itself in a region's partition, where it is named as the provider of its own tokens
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html).
 */
export const providerOf = (region: string): string =>
  region.startsWith("cn-")
    ? `cognito-identity.${region}.amazonaws.com.cn`
    : region === "us-gov-west-1"
      ? "cognito-identity-us-gov.amazonaws.com"
      : region.startsWith("us-gov-")
        ? `cognito-identity.${region}.amazonaws.com`
        : "cognito-identity.amazonaws.com"

/** An identity of the pool's region, or none. */
const checkedIdentity = (
  identityId: string | undefined,
  region: string
): Result.Result<void, Misconfigured> =>
  identityId === undefined || identityId.startsWith(`${region}:`)
    ? Result.void
    : misconfigured(
        "identityId",
        `"${identityId}" is no identity of a pool in ${region}`,
        `An identity's id begins like its pool's: ${region}:…`
      )

/** What can be told to be wrong before any call; gives the pool's region. */
export const checkedPool = ({
  endpoint: url,
  identityId,
  identityPoolId
}: {
  readonly endpoint?: string | undefined
  readonly identityId?: string | undefined
  readonly identityPoolId: string
}): Result.Result<string, Misconfigured> =>
  Result.gen(function* () {
    const region = yield* regionOf(identityPoolId)
    yield* checkedIdentity(identityId, region)
    if (url !== undefined) yield* endpoint("endpoint", url)
    return region
  })

export const otherAudience = (asked: string, given: string): Misconfigured =>
  new Misconfigured({
    setting: "audience",
    problem: `"${asked}" is demanded, and Cognito can only give the pool's id`,
    hint: `Demand "${given}" on the other side.`
  })

export const otherIdentity = (given: string | undefined, pinned: string): Misconfigured =>
  new Misconfigured({
    setting: "identityId",
    problem: `the pool gives this login the identity "${given}", not the pinned "${pinned}"`,
    hint: "The pool was made again, or the login's user id changed: pin the new one, and trust it on the other side."
  })
