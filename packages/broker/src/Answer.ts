/** What goes back to a caller, and the ways to say no. */
import type { FederationError } from "@federate/core"
import type { Handed } from "./Audit.ts"
import { failureOf } from "./failure.ts"
import type { Failure } from "./failure.ts"

export interface Answer {
  readonly status: number
  /** Names and values in turn, `Content-Length` among them. */
  readonly headers: ReadonlyArray<string>
  readonly body: string | Uint8Array
  /** Of a text: what has no more bytes than characters goes out without being encoded. Default: `utf8`. */
  readonly encoding?: "latin1" | "utf8"
  /** What the caller got with it. */
  readonly handed?: Handed
  /** Why the caller got nothing. */
  readonly refused?: Refusal
}

/**
 * The reasons to say no, with their HTTP status. What will not pass by itself is never 404, 429 or 5xx: Azure's SDKs
 * ask again on those, for up to 17 s.
 */
const statuses = {
  invalid_request: 400,
  /** A token endpoint's own (RFC 6749 §5.2, RFC 8693 §2.2.2). */
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  /** The other side refused, or a flow is set up wrong. */
  refused: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_large: 413,
  unavailable: 503
} as const

export interface Refusal {
  readonly code: keyof typeof statuses
  readonly status: number
  /** What was wrong, and what to do: SDKs print it. */
  readonly message: string
  /** In seconds. */
  readonly retryAfter?: number
  /** Why the flow that was asked brought nothing. */
  readonly failure?: Failure
}

export const refusal = (
  code: keyof typeof statuses,
  message: string,
  retryAfter?: number
): Refusal => ({
  code,
  status: statuses[code],
  message,
  ...(retryAfter !== undefined && { retryAfter })
})

export const isRefusal = (value: object): value is Refusal => "code" in value && "message" in value

/** Why a flow brought nothing, as a caller is told. */
export const refusalOf = (error: FederationError, now: number): Refusal => {
  const { reason } = error
  const until = error.retryAt ?? (reason._tag === "Transient" ? reason.retryAt : undefined)
  const retryAfter = until === undefined ? 1 : Math.max(1, Math.ceil((until - now) / 1000))
  const refused =
    reason._tag === "Transient" || reason._tag === "Malformed"
      ? refusal("unavailable", error.message, retryAfter)
      : refusal("refused", error.message)
  return { ...refused, failure: failureOf(error) }
}

/** @param headers names and values in turn */
export const answer = (
  status: number,
  contentType: string,
  body: string | Uint8Array,
  headers: ReadonlyArray<string> = []
): Answer => {
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength
  return {
    status,
    headers: [
      "Content-Type",
      contentType,
      "Content-Length",
      String(length),
      "Cache-Control",
      "no-store",
      "X-Content-Type-Options",
      "nosniff",
      ...headers
    ],
    body,
    // All of it is ASCII then.
    ...(length === body.length && { encoding: "latin1" })
  }
}

export const json = (
  status: number,
  body: unknown,
  headers?: ReadonlyArray<string>,
  contentType = "application/json"
): Answer => answer(status, contentType, JSON.stringify(body), headers)

/** The headers that a refusal brings along, besides the protocol's. */
export const refusalHeaders = ({ retryAfter }: Refusal): ReadonlyArray<string> =>
  retryAfter === undefined ? [] : ["Retry-After", String(retryAfter)]

/** A refusal as RFC 9457 tells it; why a flow failed stands in members of its own. */
export const problem = (refused: Refusal): Answer => ({
  ...json(
    refused.status,
    {
      type: "about:blank",
      title: titles[statuses[refused.code]],
      status: refused.status,
      detail: refused.message,
      ...refused.failure
    },
    [
      ...refusalHeaders(refused),
      // RFC 9110 §11.6.1; who asks for a secret here asks for it as a bearer token.
      ...(refused.status === 401 ? ["WWW-Authenticate", "Bearer"] : [])
    ],
    "application/problem+json"
  ),
  refused
})

const titles: { readonly [Status in (typeof statuses)[Refusal["code"]]]: string } = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  503: "Service Unavailable"
}
