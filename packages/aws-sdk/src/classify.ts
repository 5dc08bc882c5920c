/** What AWS's errors mean, as far as its services share them: by exception name, never by the text. */
import { Misconfigured, Rejected, Transient, Unavailable } from "@federate/core"
import type { Reason, Remedy } from "@federate/core"
import { json, overloaded, publicText, unexpected } from "@federate/http"
import type { HttpAnswer } from "@federate/http"

/** An error as a service names it. */
export interface AwsError {
  readonly code: string
  readonly message?: string | undefined
  /** Where the protocol has it in the body; otherwise it is looked for in the answer's headers. */
  readonly requestId?: string | undefined
}

/** What a service's own exceptions mean, by name. */
export interface Meanings<Facts> {
  /** A fix for each. What a hint names of {@link facts} is written `{name}`. */
  readonly hints: Readonly<Record<string, string>>
  /** What may cure them without a person. Default: nothing. */
  readonly remedies?: Readonly<Record<string, Remedy>>
  /** The fix for any other exception. */
  readonly otherwise: string
  readonly facts: Facts
}

const keys = "Look at `aws sts get-caller-identity`: it uses the same keys."
const expired = `The AWS session has expired: sign in again, or let the platform hand out new keys. ${keys}`
const unsigned = "The request was not signed."
const bounds = "A setting is out of its bounds: the message names it."

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html, in both protocols' names. */
const shared: Readonly<Record<string, string>> = {
  UnrecognizedClientException: `AWS does not know the access key, or it is another partition's. ${keys}`,
  InvalidClientTokenId: `AWS does not know the access key, or it is another partition's. ${keys}`,
  InvalidSignatureException: `The secret key does not belong to the access key, or this machine's clock is wrong. ${keys}`,
  SignatureDoesNotMatch: `The secret key does not belong to the access key, or this machine's clock is wrong. ${keys}`,
  ExpiredTokenException: expired,
  ExpiredToken: expired,
  MissingAuthenticationTokenException: `${unsigned} ${keys}`,
  MissingAuthenticationToken: `${unsigned} ${keys}`,
  RegionDisabledException:
    "This region is not active in the account: `aws account enable-region` switches it on; or take another `region`.",
  ValidationException: bounds,
  ValidationError: bounds
}

const throttled = [
  "TooManyRequestsException",
  "ThrottlingException",
  "Throttling",
  "RequestLimitExceeded",
  "SlowDown"
]

const passing = new Set([
  ...throttled,
  "InternalErrorException",
  "InternalFailure",
  "ServiceFailure",
  "ServiceUnavailable",
  "RequestTimeout",
  "RequestTimeoutException",
  "ConcurrentModificationException",
  "ExternalServiceException",
  "IDPCommunicationError"
])

/**
 * What an answer that did not bring what was asked for means.
 *
 * @param error as the answer's protocol says it; nothing when it does not
 */
export const classify = <Facts extends Readonly<Record<string, string>>>(
  answer: HttpAnswer,
  error: AwsError | undefined,
  meanings: Meanings<Facts>
): Reason => {
  const busy = overloaded(answer)
  if (error === undefined || answer.status < 400) return busy ?? unexpected(answer)
  const { retryAt, status } = answer
  const { code, message } = error
  const description = message === undefined ? "AWS gave no message" : publicText(message)
  if (busy !== undefined || passing.has(code)) {
    return new Transient({
      detail: `${code}: ${description}`,
      status,
      ...(retryAt !== undefined && { retryAt })
    })
  }
  const requestId = error.requestId ?? answer.headers.get("x-amzn-requestid")
  return new Rejected({
    code,
    status,
    description,
    hint: hintOf(code, meanings) ?? meanings.otherwise,
    remedy: meanings.remedies?.[code] ?? "none",
    ...(requestId !== null && { reference: { requestId: publicText(requestId) } })
  })
}

/** The error of an answer in AWS JSON. */
export const jsonError = (answer: HttpAnswer): AwsError | undefined => {
  const body = json(answer)
  const type = answer.headers.get("x-amzn-errortype") ?? body?.["__type"]
  // What comes before `#` and after `:` is of other protocols.
  const code = typeof type === "string" ? type.replace(/^[^#]*#/, "").replace(/:.*$/s, "") : ""
  if (!/^\w{1,100}$/.test(code)) return undefined
  const message = body?.["message"] ?? body?.["Message"]
  return { code, ...(typeof message === "string" && { message }) }
}

/** The fix for an exception; nothing when neither the service nor AWS at large has such a one. */
export const hintOf = (
  code: string,
  { facts, hints }: Pick<Meanings<Readonly<Record<string, string>>>, "facts" | "hints">
): string | undefined => {
  const hint = hints[code] ?? shared[code] ?? passed(code)
  return hint === undefined ? undefined : tell(hint, facts)
}

/** What is said of those that may pass, where somebody asks. */
const passed = (code: string): string | undefined =>
  throttled.includes(code)
    ? "Too many calls at once: a flow tries again by itself. Keep what was got until it ends; AWS raises some quotas on request."
    : passing.has(code)
      ? "This is for AWS, or for the issuer that it asked, to mend: a flow tries again by itself."
      : undefined

const tell = (hint: string, facts: Readonly<Record<string, string>>): string =>
  hint.replace(/\{(\w+)\}/g, (whole, name: string) => facts[name] ?? whole)

/** What went wrong before a request could leave, by the SDK error's name and public marks alone. */
export const classifyUnsent = (error: unknown, setting: string): Reason => {
  const name = error instanceof Error ? error.name : "an unknown error"
  if (name !== "CredentialsProviderError" && name !== "TokenProviderError") {
    return new Misconfigured({
      setting,
      problem: `the AWS SDK could not make the request (${publicText(name)})`,
      hint: "Check `region`, `endpoint` and the AWS_* variables; `aws sts get-caller-identity` uses the same ones."
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
