/** What the errors of Amazon Cognito and of AWS's common layer mean: by exception name, never by the text. */
import { Misconfigured, Rejected, Transient, Unavailable } from "@federate/core"
import type { Reason } from "@federate/core"
import { json, overloaded, publicText, unexpected } from "@federate/http"
import type { HttpAnswer } from "@federate/http"

/** A fix for each exception. */
export type Hints = Readonly<Record<string, string>>

/** What a hint may name, written `{name}`. */
export interface Facts {
  readonly identityPoolId: string
  readonly region: string
  readonly developerProvider: string
}

const policy =
  "The role needs `cognito-identity:GetOpenIdTokenForDeveloperIdentity` on the pool's ARN, …:cognito-identity:{region}:<account>:identitypool/{identityPoolId} (the pool's id, not its name)."
const keys = "Look at `aws sts get-caller-identity`: it uses the same keys."

/** https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdTokenForDeveloperIdentity.html */
const hints: Hints = {
  AccessDeniedException: policy,
  NotAuthorizedException: `Either the caller may not do this, or the login was not accepted. ${policy}`,
  ResourceNotFoundException:
    "There is no pool {identityPoolId} in {region} of this account, or no such identity in it: compare the id with `aws cognito-identity list-identity-pools --max-results 60 --region {region}`, and the account with `aws sts get-caller-identity`.",
  InvalidParameterException:
    "Most often the pool has another developer provider than {developerProvider}: compare with `aws cognito-identity describe-identity-pool --identity-pool-id {identityPoolId}`, letter by letter.",
  InvalidIdentityPoolConfigurationException:
    "The pool has no role for its identities, or the role's trust policy does not let this pool in: `aws cognito-identity get-identity-pool-roles --identity-pool-id {identityPoolId}` tells which it is.",
  ResourceConflictException:
    "One of the logins is linked to another identity: leave `identityId` out, or the login that belongs elsewhere.",
  DeveloperUserAlreadyRegisteredException:
    "This user of {developerProvider} has another identity than `identityId`: leave `identityId` out, or write the one that `aws cognito-identity lookup-developer-identity` tells.",
  UnrecognizedClientException: `AWS does not know the access key, or it is another partition's. ${keys}`,
  InvalidClientTokenId: `AWS does not know the access key. ${keys}`,
  InvalidSignatureException: `The secret key does not belong to the access key, or this machine's clock is wrong. ${keys}`,
  SignatureDoesNotMatch: `The secret key does not belong to the access key. ${keys}`,
  ExpiredTokenException: `The AWS session has expired: sign in again, or let the platform hand out new keys. ${keys}`,
  MissingAuthenticationTokenException: `The request was not signed. ${keys}`,
  ValidationException: "A setting is out of its bounds: the message names it.",
  UnknownOperationException:
    "The endpoint is not Amazon Cognito's identity pools: check `endpoint` and AWS_ENDPOINT_URL."
}

const passing = new Set([
  "TooManyRequestsException",
  "ThrottlingException",
  "Throttling",
  "RequestLimitExceeded",
  "InternalErrorException",
  "InternalFailure",
  "ServiceUnavailable",
  "RequestTimeout",
  "RequestTimeoutException",
  "ConcurrentModificationException"
])

/**
 * What an answer that did not bring what was asked for means.
 *
 * @param own what some exceptions mean with this operation
 */
export const classify = (answer: HttpAnswer, facts: Facts, own: Hints = {}): Reason => {
  const body = json(answer)
  const code = exceptionName(answer, body)
  const busy = overloaded(answer)
  if (code === undefined || answer.status < 400) return busy ?? unexpected(answer)
  const { retryAt, status } = answer
  const message = body?.["message"] ?? body?.["Message"]
  const description = typeof message === "string" ? publicText(message) : "AWS gave no message"
  if (busy !== undefined || passing.has(code)) {
    return new Transient({
      detail: `${code}: ${description}`,
      status,
      ...(retryAt !== undefined && { retryAt })
    })
  }
  const requestId = answer.headers.get("x-amzn-requestid")
  return new Rejected({
    code,
    status,
    description,
    hint: tell(
      own[code] ?? hints[code] ?? "Look the exception up in the Amazon Cognito API reference.",
      facts
    ),
    remedy: "none",
    ...(requestId !== null && { reference: { requestId: publicText(requestId) } })
  })
}

/** The name alone: what comes before `#` and after `:` is of other protocols. */
const exceptionName = (
  { headers }: HttpAnswer,
  body: Readonly<Record<string, unknown>> | undefined
): string | undefined => {
  const type = headers.get("x-amzn-errortype") ?? body?.["__type"]
  const name = typeof type === "string" ? type.replace(/^[^#]*#/, "").replace(/:.*$/s, "") : ""
  return /^\w{1,100}$/.test(name) ? name : undefined
}

const tell = (hint: string, facts: Facts): string =>
  // Only the names of facts stand between braces.
  hint.replace(/\{(\w+)\}/g, (_, name: string) => facts[name as keyof Facts])

/** What went wrong before a request could leave, by the SDK error's name and public marks alone. */
export const classifyUnsent = (error: unknown): Reason => {
  const name = error instanceof Error ? error.name : "an unknown error"
  if (name !== "CredentialsProviderError" && name !== "TokenProviderError") {
    return new Misconfigured({
      setting: "cognito",
      problem: `the AWS SDK could not make the request (${publicText(name)})`,
      hint: "Check `endpoint` and the AWS_* variables; `aws sts get-caller-identity` uses the same ones."
    })
  }
  // The last link of the SDK's chain has no other mark than this sentence of its own.
  return error instanceof Error && error.message === "Could not load credentials from any providers"
    ? new Unavailable({
        detail:
          "There are no AWS credentials here: no variables, profile, container or instance role",
        hint: "Run where the role is; or set AWS_PROFILE; or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, without AWS_PROFILE, which goes first."
      })
    : new Misconfigured({
        setting: "AWS credentials",
        problem: "they are configured, but the AWS SDK could not load them",
        hint: "`aws sts get-caller-identity` says why; an SSO session that ended is renewed by `aws sso login`."
      })
}
