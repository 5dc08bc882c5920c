/**
 * AWS: container credentials (the ECS and EKS Pod Identity form), and the instance metadata service, version 2.
 *
 * Sources: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html,
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import type { AwsCredentials, FederationError } from "@federate/core"
import type * as Clock from "effect/Clock"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { answer, isRefusal, json, refusal, refusalHeaders } from "../Answer.ts"
import type { Answer, Refusal } from "../Answer.ts"
import type { AwsConfig } from "../BrokerConfig.ts"
import type { Headers } from "../Headers.ts"
import * as Protocol from "../Protocol.ts"
import type { Route } from "../Route.ts"
import type { Secret } from "../Secret.ts"
import { isIssuing, named, only } from "../ServedFlow.ts"
import type { ServedAwsCredentials, ServedFlow } from "../ServedFlow.ts"
import { timestamp } from "../timestamp.ts"

export const paths = {
  /** A flow's own is below it. */
  container: "/aws/credentials",
  imdsToken: "/latest/api/token",
  imds: "/latest/meta-data"
} as const

/** The flow whose credentials AWS's SDKs get, or what they are told. */
export const resolve = (
  flows: ReadonlyArray<ServedFlow>,
  config: AwsConfig = {}
): Result.Result<ServedAwsCredentials | Refusal, FederationError> =>
  config.flow === undefined
    ? Result.succeed(
        only(
          flows.filter((each) => isIssuing(each, "AwsCredentials")),
          "AWS credentials",
          "broker.aws.flow"
        )
      )
    : named(flows, "broker.aws.flow", config.flow, "AwsCredentials")

const question = (
  served: ServedAwsCredentials | Refusal,
  write: Protocol.Question<AwsCredentials>["write"]
): Protocol.Question<AwsCredentials> | Refusal =>
  isRefusal(served) ? served : { flow: served.flow, request: {}, scope: "", write }

const fields = ({
  accessKeyId,
  accountId,
  expiresAt,
  secretAccessKey,
  sessionToken
}: AwsCredentials) => ({
  AccessKeyId: accessKeyId,
  ...(accountId !== undefined && { AccountId: accountId }),
  Expiration: timestamp(expiresAt),
  SecretAccessKey: Redacted.value(secretAccessKey),
  Token: Redacted.value(sessionToken)
})

const containerRefusal = (refused: Refusal): Answer => ({
  ...json(
    refused.status,
    { Code: containerCodes[refused.code] ?? "ValidationException", Message: refused.message },
    refusalHeaders(refused)
  ),
  refused
})

const containerCodes: { readonly [Code in Refusal["code"]]?: string } = {
  refused: "AccessDeniedException",
  unauthorized: "AccessDeniedException",
  forbidden: "AccessDeniedException",
  not_found: "ResourceNotFoundException",
  unavailable: "ServiceUnavailableException"
}

/** What `AWS_CONTAINER_CREDENTIALS_FULL_URI` names. */
export const container = (
  served: ServedAwsCredentials | Refusal,
  secret: Secret,
  clock: Clock.Clock
): Route =>
  Protocol.route(
    {
      name: "aws-container",
      contentType: "application/json",
      authorize: ({ authorization }) =>
        secret.matches(authorization)
          ? undefined
          : refusal(
              "unauthorized",
              authorization === undefined
                ? "The header Authorization is missing. Send the value of $AWS_CONTAINER_AUTHORIZATION_TOKEN, with nothing before it."
                : "The header Authorization is not this broker's. Send the value of $AWS_CONTAINER_AUTHORIZATION_TOKEN, with nothing before it."
            ),
      refuse: containerRefusal,
      read: () => question(served, (credentials) => JSON.stringify(fields(credentials)))
    },
    clock
  )

const text = (status: number, body: string, headers?: ReadonlyArray<string>): Answer =>
  answer(status, "text/plain", body, headers)

const imdsRefusal = (refused: Refusal): Answer => ({
  ...text(refused.status, refused.message, refusalHeaders(refused)),
  refused
})

/** In seconds: six hours. */
const longestSession = 21_600

const life = "X-aws-ec2-metadata-token-ttl-seconds"

/**
 * The instance metadata service, version 2. A session's token is its end with a signature by the broker's secret:
 * nothing is remembered.
 */
export const imds = (
  served: ServedAwsCredentials | Refusal,
  config: AwsConfig = {},
  secret: Secret,
  clock: Clock.Clock
): ReadonlyArray<readonly [string, Route]> => {
  const sign = (end: string): Buffer =>
    createHmac("sha256", Redacted.value(secret.text)).update(end).digest()
  const issue: Route = {
    protocol: "aws-imds-session",
    method: "PUT",
    refuse: imdsRefusal,
    handle: ({ headers: { awsTokenLife } }) => {
      const seconds = /^\d{1,5}$/.test(awsTokenLife ?? "") ? Number(awsTokenLife) : 0
      if (seconds < 1 || seconds > longestSession) {
        return imdsRefusal(
          refusal("invalid_request", `The header ${life} must be from 1 to ${longestSession}.`)
        )
      }
      const end = String(clock.currentTimeMillisUnsafe() + seconds * 1000)
      return text(200, `${end}.${sign(end).toString("base64url")}`, [life, String(seconds)])
    }
  }
  const authorize = ({ awsToken }: Headers): Refusal | undefined => {
    const [end = "", signature = ""] = awsToken?.split(".") ?? []
    const given = Buffer.from(signature, "base64url")
    const expected = sign(end)
    return given.length === expected.length &&
      timingSafeEqual(given, expected) &&
      Number(end) > clock.currentTimeMillisUnsafe()
      ? undefined
      : refusal(
          "unauthorized",
          `The header X-aws-ec2-metadata-token is missing, or its session is over. Begin one with PUT ${paths.imdsToken}.`
        )
  }
  const plain = (body: string | Refusal): Route => {
    const told = typeof body === "string" ? text(200, body) : imdsRefusal(body)
    return {
      protocol: "aws-imds",
      method: "GET",
      refuse: imdsRefusal,
      handle: ({ headers }) => {
        const unauthorized = authorize(headers)
        return unauthorized === undefined ? told : imdsRefusal(unauthorized)
      }
    }
  }
  const role = isRefusal(served) ? served : (config.role ?? served.flow.name)
  const credentials = Protocol.route<AwsCredentials>(
    {
      name: "aws-imds",
      contentType: "application/json",
      authorize,
      refuse: imdsRefusal,
      read: () =>
        question(served, (held) =>
          JSON.stringify({
            Code: "Success",
            LastUpdated: timestamp(held.obtainedAt),
            Type: "AWS-HMAC",
            ...fields(held)
          })
        )
    },
    clock
  )
  const folder = `${paths.imds}/iam/security-credentials`
  return [
    [paths.imdsToken, issue],
    [folder, plain(role)],
    ...(typeof role === "string" ? [[`${folder}/${role}`, credentials] as const] : []),
    ...(config.region === undefined
      ? []
      : [[`${paths.imds}/placement/region`, plain(config.region)] as const])
  ]
}
