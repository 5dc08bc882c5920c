/** A request and its answer, read whole within limits. */
import { Malformed, Misconfigured, RetryAfter, Transient } from "@federate/core"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { platformFetch } from "./Fetch.ts"
import type { Fetch } from "./Fetch.ts"

/** The most that is read of an answer, in bytes: no token, key set or error comes near it. */
export const maximumSize = 1024 * 1024

export interface HttpAnswer {
  /** What was asked. */
  readonly url: string
  readonly status: number
  readonly headers: Headers
  /** Whole; of an error answer at most the first {@link maximumSize} bytes. */
  readonly body: Uint8Array<ArrayBuffer>
  /** When the request left, epoch milliseconds on our clock. */
  readonly sentAt: number
  /** The server's clock when it answered (its `Date`), epoch milliseconds; ours where it does not say. */
  readonly serverTime: number
  /** Its `Retry-After`, as epoch milliseconds on our clock. */
  readonly retryAt: number | undefined
}

/** Why there is no answer. */
export type Fault = Transient | Malformed | Misconfigured

/**
 * One request with any `fetch`, without a time limit of its own. Never rejects. For code that must be handed a
 * promise; {@link send} is the usual way.
 */
export const exchange = async (
  fetch: Fetch,
  url: string,
  init: RequestInit,
  now: () => number,
  maximum: number = maximumSize
): Promise<Result.Result<HttpAnswer, Fault>> => {
  const sentAt = now()
  try {
    // Secrets follow no redirect.
    const response = await fetch(url, { ...init, redirect: "manual" })
    const { headers, status } = response
    const body = await read(response, maximum)
    if (body === undefined) {
      return Result.fail(
        new Malformed({ detail: `${host(url)} answered ${status} with more than ${maximum} bytes` })
      )
    }
    const answeredAt = now()
    const serverTime = RetryAfter.parseDate(headers.get("date") ?? "") ?? answeredAt
    const pause = RetryAfter.parse(headers.get("retry-after"), serverTime)
    return Result.succeed({
      url,
      status,
      headers,
      body,
      sentAt,
      serverTime,
      retryAt: pause === undefined ? undefined : answeredAt + pause
    })
  } catch (error) {
    return Result.fail(error instanceof Failure ? error.fault : unreachable(host(url), error))
  }
}

/** The body, or nothing when a good answer is too large. Of a bad one the beginning is enough. */
const read = async (
  response: Response,
  maximum: number
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  if (response.body === null) return new Uint8Array()
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of response.body) {
    if (size + chunk.length > maximum) {
      if (response.ok) return undefined
      chunks.push(chunk.subarray(0, maximum - size))
      size = maximum
      break
    }
    chunks.push(chunk)
    size += chunk.length
  }
  const body = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}

/** What OpenSSL and Node call a certificate that this process has no reason to trust. */
const distrust = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

/** Thrown by a `fetch` of ours that knows more than a foreign error could tell. */
export class Failure extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super("The request failed")
    this.fault = fault
  }
}

/** @param who whose answer was waited for, in words */
export const unreachable = (who: string, error: unknown): Fault => {
  const code = codeOf(error)
  if (code !== undefined && distrust.has(code)) {
    return new Misconfigured({
      setting: "NODE_EXTRA_CA_CERTS",
      problem: `the certificate of ${who} is not trusted (${code})`,
      hint: "Name the file with the CA's certificate in NODE_EXTRA_CA_CERTS before the process starts, or mend the server's certificate."
    })
  }
  return new Transient({
    detail: `No answer from ${who}${code === undefined ? "" : ` (${code})`}`
  })
}

/** Only the code: a foreign error's message and causes may quote what was sent. */
const codeOf = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; depth < 5 && typeof at === "object" && at !== null; depth++) {
    if ("code" in at && typeof at.code === "string" && /^[A-Z][A-Z0-9_]+$/.test(at.code))
      return at.code
    // Several addresses were tried: the first tells enough.
    at =
      "errors" in at && Array.isArray(at.errors)
        ? at.errors[0]
        : "cause" in at
          ? at.cause
          : undefined
  }
  return undefined
}

const host = (url: string): string => URL.parse(url)?.host ?? "an unreadable URL"

export interface HttpRequest {
  readonly url: string
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface SendOptions {
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** In bytes. Default {@link maximumSize}. */
  readonly maximumSize?: number
  /** Default 10 s. */
  readonly timeout?: Duration.Input
}

/** One request, whatever its status. Interruption and the time limit abort it. */
export const send = Effect.fnUntraced(function* (request: HttpRequest, options: SendOptions = {}) {
  const clock = yield* Clock.Clock
  const { url, ...init } = request
  const answer = yield* Effect.promise((signal) =>
    exchange(
      options.fetch ?? platformFetch,
      url,
      { ...init, signal },
      () => clock.currentTimeMillisUnsafe(),
      options.maximumSize
    )
  ).pipe(
    Effect.timeoutOrElse({
      duration: options.timeout ?? "10 seconds",
      orElse: () =>
        Effect.succeed(
          Result.fail(new Transient({ detail: `${host(url)} did not answer in time` }))
        )
    })
  )
  return yield* Effect.fromResult(answer)
})

/** 408, 429 and 5xx: it may pass by itself. */
export const overloaded = ({ retryAt, status, url }: HttpAnswer): Transient | undefined =>
  status === 408 || status === 429 || status >= 500
    ? new Transient({
        detail: `${host(url)} answered ${status}`,
        status,
        ...(retryAt !== undefined && { retryAt })
      })
    : undefined

/** An answer that the protocol does not know: told by its status, type and size, never by its body. */
export const unexpected = ({ body, headers, status, url }: HttpAnswer): Malformed => {
  const type = headers.get("content-type")?.split(";")[0] ?? "no content type"
  const location =
    status >= 300 && status < 400 ? URL.parse(headers.get("location") ?? "", url) : null
  return new Malformed({
    detail:
      location === null
        ? `${host(url)} answered ${status} with ${body.length} bytes of ${type}, which is not what the protocol says`
        : `${host(url)} answered ${status}, a redirect to ${location.host}; redirects are not followed`
  })
}

/** The body as a JSON object (RFC 8259); nothing when it is anything else. */
export const json = ({
  body
}: {
  readonly body: Uint8Array
}): Readonly<Record<string, unknown>> | undefined => {
  const parsed = Result.try((): unknown => JSON.parse(utf8.decode(body)))
  const value = Result.isSuccess(parsed) ? parsed.success : undefined
  // A JSON object that is no array is a record.
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

const utf8 = new TextDecoder("utf-8", { fatal: true })
