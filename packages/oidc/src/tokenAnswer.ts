/** The answer of a token endpoint (RFC 6749 §5). */
import { Credential, Lifetime, Malformed, Rejected } from "@federate/core"
import type { AccessToken, Reason } from "@federate/core"
import { json, overloaded, publicText, unexpected } from "@federate/http"
import type { HttpAnswer } from "@federate/http"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

/** An error answer (RFC 6749 §5.2), with whatever else the server says. */
export interface Refusal {
  readonly status: number
  /** `error`. */
  readonly error: string
  /** `error_description`, fit to be shown; empty when absent. */
  readonly description: string
  readonly body: Readonly<Record<string, unknown>>
  readonly retryAt: number | undefined
}

/** A refusal as a server speaks that has nothing to add to RFC 6749. */
export const refusal = ({ description, error, status }: Refusal): Rejected =>
  new Rejected({
    code: error,
    status,
    description: description === "" ? "The token endpoint gave no description" : description,
    hint: hints.get(error) ?? "Look the code up in the server's documentation.",
    remedy: "none"
  })

const hints = new Map(
  Object.entries({
    invalid_client:
      "Compare the assertion's issuer, subject and audience with what the server trusts this client with.",
    invalid_request: "A parameter is missing or malformed: check scopes and client id.",
    invalid_scope: "Ask for scopes that this client was granted.",
    unauthorized_client: "Allow this client the client-credentials grant."
  })
)

/**
 * What a token endpoint answered, as a credential or as the reason why not. Read from the answer's status, headers and
 * bounded bytes alone: an OAuth library's errors hold the whole body, tokens included.
 *
 * @param asked the scope that was asked for: what is granted, where the answer does not say otherwise (§5.1)
 * @param refused what an error answer means with this server
 * @param life how long a token lives where the answer does not say, in milliseconds; without it, it must say
 */
export const read = (
  answer: HttpAnswer,
  asked: string | undefined,
  refused: (refusal: Refusal) => Reason,
  life?: number
): Result.Result<AccessToken, Reason> => {
  const body = json(answer)
  if (answer.status === 200)
    return body === undefined
      ? Result.fail(unexpected(answer))
      : credential(body, asked, answer, life)
  const told = body === undefined ? undefined : errorOf(body)
  if (body !== undefined && told !== undefined && answer.status >= 400) {
    const { retryAt, status } = answer
    const reason = refused({ status, ...told, body, retryAt })
    // What the server says of itself by its status weighs more than an error that nobody has a name for.
    return Result.fail(reason._tag === "Rejected" ? (overloaded(answer) ?? reason) : reason)
  }
  return Result.fail(overloaded(answer) ?? unexpected(answer))
}

/** `error` and `error_description`; of services that nest them, `code` or `type` with `message`. */
const errorOf = (body: Readonly<Record<string, unknown>>) => {
  const { error, error_description: description } = body
  if (typeof error === "string") return words(error, description)
  if (typeof error !== "object" || error === null) return undefined
  const { code, message, type } = { code: undefined, message: "", type: undefined, ...error }
  return words(code ?? type, message)
}

const words = (error: unknown, description: unknown) =>
  typeof error === "string"
    ? {
        error: publicText(error),
        description: typeof description === "string" ? publicText(description) : ""
      }
    : undefined

const credential = (
  body: Readonly<Record<string, unknown>>,
  asked: string | undefined,
  { sentAt }: HttpAnswer,
  life: number | undefined
): Result.Result<AccessToken, Malformed> => {
  const fail = (detail: string) =>
    Result.fail(new Malformed({ detail: `The token endpoint's answer is unusable: ${detail}` }))
  const { access_token: token, scope = asked, token_type: type } = body
  if (typeof token !== "string" || token === "") return fail("access_token is absent")
  if (typeof type !== "string" || type === "") return fail("token_type is absent")
  const lifetime =
    body["expires_in"] === undefined && life !== undefined
      ? Result.succeed(life)
      : Lifetime.parse("expires_in", body["expires_in"])
  if (Result.isFailure(lifetime)) return fail(lifetime.failure)
  // Advice: where it cannot be read, it was not given.
  const refresh = Result.getOrUndefined(Lifetime.parse("refresh_in", body["refresh_in"]))
  const issuedType = body["issued_token_type"]
  return Result.succeed(
    Credential.accessToken({
      token: Redacted.make(token),
      // Case-insensitive by RFC 6749 §5.1, yet clients put it into a header as it is.
      tokenType: type.toLowerCase() === "bearer" ? "Bearer" : type,
      obtainedAt: sentAt,
      expiresAt: sentAt + lifetime.success,
      ...(refresh !== undefined && { refreshAt: sentAt + refresh }),
      ...(typeof scope === "string" && scope !== "" && { scopes: scope.split(" ") }),
      ...(typeof issuedType === "string" && { issuedTokenType: issuedType })
    })
  )
}
