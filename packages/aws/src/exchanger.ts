/** AWS STS as a token exchanger: an assertion for temporary credentials of a role that trusts it. */
import { endOf } from "@federate/aws-sdk"
import { configured, Credential, TokenExchanger } from "@federate/core"
import type { AwsCredentials, FederationError, Reason } from "@federate/core"
import { send } from "@federate/http"
import type { Environment, Fetch } from "@federate/http"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { classifyRole } from "./classify.ts"
import { partitionNamed, partitionOf } from "./partition.ts"
import { checkedEndpoint, checkedRegion, endpointOf, misconfigured, secondsOf } from "./settings.ts"

export interface ExchangerOptions {
  /** `arn:aws:iam::ACCOUNT:role/NAME`. */
  readonly roleArn: string
  /** Whose STS is asked: any active region of the role's partition. */
  readonly region: string
  /** Instead of the region's own: https, or http on loopback. Default: what `AWS_ENDPOINT_URL_STS` says, if it does. */
  readonly endpoint?: string | undefined
  /** How the session is called in CloudTrail and in its ARN, 2 to 64 of letters, digits and `_+=,.@-`. Default: `federate`. */
  readonly roleSessionName?: string | undefined
  /** Whole seconds, from 15 minutes to 12 hours, and never more than the role's own maximum. Default: AWS's own, an hour. */
  readonly duration?: Duration.Input | undefined
  /** Narrows what the session may do: a policy's JSON, or the same as a value. At most 2,048 characters. */
  readonly policy?: string | Readonly<Record<string, unknown>> | undefined
  /** Managed policies that narrow it, too: at most 10 ARNs. */
  readonly policyArns?: ReadonlyArray<string> | undefined
  /**
   * The audience that the OIDC provider in IAM lists, where it must be that one. Without it a source that can choose
   * takes `sts.amazonaws.com` (China: `sts.amazonaws.com.cn`), and a source that cannot gives what it has.
   */
  readonly audience?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "aws"

/** What AWS takes an assertion to be signed by. */
export const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]

/**
 * `AssumeRoleWithWebIdentity` (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
 * It is not signed, and needs no AWS credentials; the assertion is all the authority there is. Assertions that the
 * role's own partition issued (`GetWebIdentityToken`) are refused: AWS takes them in other partitions alone. Settings
 * that cannot work are `Misconfigured`, before any call.
 */
export const exchanger = Effect.fnUntraced(function* (
  options: ExchangerOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger<AwsCredentials>, FederationError> {
  const { audience, fetch } = options
  const { parameters, partition, role, url } = yield* configured(name, checked(options))
  return TokenExchanger.make({
    name,
    asks: {
      ...(audience !== undefined && { audience }),
      preferredAudience: partition.audience,
      algorithms,
      ...(partition.issuers !== undefined && { notFrom: [partition.issuers] })
    },
    exchange: Effect.fnUntraced(function* (assertion): Effect.fn.Return<AwsCredentials, Reason> {
      const form = new URLSearchParams(parameters)
      form.set("WebIdentityToken", Redacted.value(assertion.token))
      const answer = yield* send(
        {
          url,
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: form.toString()
        },
        { fetch }
      )
      const { parse, textAt } = yield* Effect.promise(() => import("@federate/aws-sdk/xml"))
      const root = answer.status === 200 ? yield* parse(answer.body) : undefined
      const result = (...path: ReadonlyArray<string>) =>
        textAt(root, ["AssumeRoleWithWebIdentityResult", ...path])
      const accessKeyId = result("Credentials", "AccessKeyId")
      const secretAccessKey = result("Credentials", "SecretAccessKey")
      const sessionToken = result("Credentials", "SessionToken")
      if (
        root?.name !== "AssumeRoleWithWebIdentityResponse" ||
        accessKeyId === undefined ||
        secretAccessKey === undefined ||
        sessionToken === undefined
      ) {
        return yield* classifyRole(answer, assertion, role)
      }
      const accountId = accountOf(result("AssumedRoleUser", "Arn"))
      return Credential.awsCredentials({
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey),
        sessionToken: Redacted.make(sessionToken),
        obtainedAt: answer.sentAt,
        expiresAt: yield* Effect.fromResult(
          endOf(Date.parse(result("Credentials", "Expiration") ?? ""), answer)
        ),
        ...(accountId !== undefined && { accountId })
      })
    })
  })
})

/** Of an assumed role: `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`. */
const accountOf = (arn: string | undefined): string | undefined =>
  /^arn:[\w-]+:sts::(\d{12}):assumed-role\//.exec(arn ?? "")?.[1]

/** What can be told to be wrong before any call, and what is the same in each of them. */
const checked = (options: ExchangerOptions) =>
  Result.gen(function* () {
    const { partition, role } = yield* checkedRole(options.roleArn)
    const url = yield* urlOf(options, partition.name)
    const sessionName = options.roleSessionName ?? "federate"
    if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
      return yield* misconfigured(
        "roleSessionName",
        `"${sessionName}" is no session's name`,
        "2 to 64 letters, digits and _+=,.@-"
      )
    }
    const seconds = yield* secondsOf(options.duration, {
      least: 900,
      most: 43_200,
      hint: "Whole seconds, from 15 minutes to 12 hours, and at most the role's MaxSessionDuration (an hour unless it was raised)."
    })
    const policy = yield* checkedPolicy(options.policy)
    const policyArns = yield* checkedPolicyArns(options.policyArns ?? [])
    return {
      partition,
      role,
      url,
      parameters: {
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        RoleArn: role.arn,
        RoleSessionName: sessionName,
        ...(seconds !== undefined && { DurationSeconds: `${seconds}` }),
        ...(policy !== undefined && { Policy: policy }),
        ...Object.fromEntries(
          policyArns.map((arn, index) => [`PolicyArns.member.${index + 1}.arn`, arn])
        )
      }
    }
  })

const checkedRole = (arn: string) => {
  const parts = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/[\w+=,.@/-]{1,576}$/.exec(arn)
  const partition = partitionNamed(parts?.[1] ?? "")
  return parts === null || partition === undefined
    ? misconfigured(
        "roleArn",
        `"${arn}" is no role's ARN`,
        "Write it in full, with the role's path if it has one: arn:aws:iam::123456789012:role/name."
      )
    : Result.succeed({ partition, role: { arn, account: parts[2]!, partition: partition.name } })
}

const urlOf = (options: ExchangerOptions, partition: string) =>
  Result.gen(function* () {
    const { region } = options
    const { name: own, suffix } = partitionOf(yield* checkedRegion(region))
    if (own !== partition) {
      return yield* misconfigured(
        "region",
        `${region} is in the partition ${own}, and the role is in ${partition}`,
        "Take a region of the role's partition: credentials are worth nothing in another one."
      )
    }
    const endpoint = endpointOf(options)
    return endpoint === undefined
      ? `https://sts.${region}.${suffix}/`
      : (yield* checkedEndpoint(endpoint)).href
  })

const checkedPolicy = (policy: ExchangerOptions["policy"]) => {
  if (policy === undefined) return Result.succeed(undefined)
  const text = typeof policy === "string" ? policy : JSON.stringify(policy)
  const read = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(read)) {
    return misconfigured("policy", "is not JSON", "Write an IAM policy document.")
  }
  return text.length <= 2048
    ? Result.succeed(text)
    : misconfigured(
        "policy",
        `is ${text.length} characters long`,
        "At most 2,048 are taken: `policyArns` can say more."
      )
}

const checkedPolicyArns = (arns: ReadonlyArray<string>) => {
  if (arns.length > 10) {
    return misconfigured("policyArns", `are ${arns.length}`, "At most 10 are taken.")
  }
  const bad = arns.find(
    (arn) => !/^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/.{1,1000}$/.test(arn)
  )
  return bad === undefined
    ? Result.succeed(arns)
    : misconfigured(
        "policyArns",
        `"${bad}" is no managed policy's ARN`,
        "Write it in full: arn:aws:iam::aws:policy/ReadOnlyAccess."
      )
}
