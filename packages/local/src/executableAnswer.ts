/** What a program prints by the protocol of Google's executable-sourced credentials, version 1. */
import { Malformed, Rejected } from "@federate/core"
import { publicText } from "@federate/http"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export interface ExecutableAnswerOptions {
  /** Epoch milliseconds. */
  readonly now: number
  /** Whether it must say when it ends: an answer that is kept must. */
  readonly ends: boolean
  /** How to hear from the program itself why it says no. */
  readonly hint: string
}

const tokenTypes: ReadonlySet<unknown> = new Set([
  "urn:ietf:params:oauth:token-type:jwt",
  "urn:ietf:params:oauth:token-type:id_token"
])

/**
 * The token in `{ version: 1, success: true, token_type, id_token, expiration_time }`
 * (https://google.aip.dev/auth/4117#executable-sourced-credentials); or what the program says in its place, `Rejected`.
 */
export const readExecutableAnswer = (
  text: Redacted.Redacted,
  { ends, hint, now }: ExecutableAnswerOptions
): Result.Result<Redacted.Redacted, Malformed | Rejected> => {
  const fail = (detail: string) =>
    Result.fail(new Malformed({ detail: `The command's answer is unusable: ${detail}` }))
  const parsed = Result.try((): unknown => JSON.parse(Redacted.value(text)))
  if (Result.isFailure(parsed) || typeof parsed.success !== "object" || parsed.success === null)
    return fail("it is no JSON object")
  const answer = new Map<string, unknown>(Object.entries(parsed.success))
  if (answer.get("version") !== 1) return fail("its version is not 1")
  const expiration = answer.get("expiration_time")
  if (answer.get("success") === false) {
    return Result.fail(
      new Rejected({
        code: publicText(String(answer.get("code") ?? "no code")),
        description: publicText(String(answer.get("message") ?? "The command gave no message")),
        hint,
        remedy: "none"
      })
    )
  }
  if (answer.get("success") !== true) return fail("success is neither true nor false")
  if (!tokenTypes.has(answer.get("token_type"))) return fail("its token_type is no JWT's")
  const token = answer.get("id_token")
  if (typeof token !== "string" || token === "") return fail("id_token is absent")
  if (expiration === undefined && ends) return fail("expiration_time is absent")
  if (expiration !== undefined && !(typeof expiration === "number" && expiration * 1000 > now))
    return fail("expiration_time is unreadable or past")
  return Result.succeed(Redacted.make(token))
}
