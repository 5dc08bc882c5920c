/** A platform that signs when it is asked over HTTP: one request, and an answer told by its status. */
import { Assertion, Rejected } from "@federate/core"
import type { Reason, Reference } from "@federate/core"
import { json, overloaded, publicText, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer, HttpRequest } from "@federate/http"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

export interface Signing {
  /** Who signs, for errors. */
  readonly who: string
  readonly request: HttpRequest
  /** Default: the platform's. */
  readonly fetch: Fetch | undefined
  /** Default: `send`'s. */
  readonly timeout?: Duration.Input
  /** Where the assertion stands in a good answer. */
  readonly token: (answer: HttpAnswer) => unknown
  /** The one fix for a refusal, by its status. */
  readonly hint: (status: number) => string
  /** The platform's own names for what happened, by the answer's headers. */
  readonly reference?: (headers: Headers) => Reference
}

/** The assertion, whose life is counted from now: it is signed for this request. */
export const signed = Effect.fnUntraced(function* ({
  fetch,
  request,
  timeout,
  token,
  ...signing
}: Signing): Effect.fn.Return<Assertion.Assertion, Reason> {
  const answer = yield* send(request, { fetch, ...(timeout !== undefined && { timeout }) })
  const jwt = answer.status === 200 ? token(answer) : undefined
  if (typeof jwt !== "string" || jwt === "") return yield* Effect.fail(refused(answer, signing))
  return yield* Effect.fromResult(
    Assertion.fromJwt(Redacted.make(jwt), { obtainedAt: answer.sentAt, issuerTime: "iat" })
  )
})

/** A field of a JSON object. */
export const field =
  (name: string) =>
  (answer: HttpAnswer): unknown =>
    json(answer)?.[name]

/** They tell errors by their status, and by a text for people or none. */
const refused = (
  answer: HttpAnswer,
  { hint, reference, who }: Pick<Signing, "who" | "hint" | "reference">
): Reason => {
  const { headers, status } = answer
  const busy = overloaded(answer)
  const { error, message } = json(answer) ?? {}
  const words = [message, error].find((each) => typeof each === "string" && each !== "")
  const isTold = status === 401 || status === 403 || status === 404 || words !== undefined
  if (busy !== undefined || status < 400 || !isTold) return busy ?? unexpected(answer)
  return new Rejected({
    code: `HTTP ${status}`,
    status,
    description: words === undefined ? `${who} gave no reason` : publicText(String(words)),
    hint: hint(status),
    remedy: "none",
    ...(reference !== undefined && { reference: reference(headers) })
  })
}
