/** What can be made to go wrong, and when. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { Response } from "./Http.ts"

/**
 * One thing that goes wrong.
 *
 * - `Latency`: the answer comes as usual, later
 * - `Throttled`: too many calls, in the service's own words: Cognito 400 `TooManyRequestsException`, others 429
 * - `Status`: this HTTP status, with a body in the service's own form
 * - `Reset`: the connection is cut (RST) without an answer
 * - `Hang`: no answer, ever, until either side closes
 * - `Truncated`: the usual answer, cut in the middle of its body
 * - `Answer`: this very answer
 */
export type Fault = Data.TaggedEnum<{
  Latency: { readonly millis: number }
  Throttled: { readonly retryAfter?: number | string }
  Status: { readonly status: number; readonly retryAfter?: number | string }
  Reset: {}
  Hang: {}
  Truncated: {}
  Answer: Response
}>

/** Which calls a fault strikes, counted for this fault alone, from when it was set. */
export type When =
  | "every"
  /** The first so many. */
  | { readonly first: number }
  /** This one only; the first is 1. */
  | { readonly call: number }

const { Answer, Hang, Latency, Reset, Status, Throttled, Truncated } = Data.taggedEnum<Fault>()

/** The answer comes as usual, after this long. */
export const latency = (duration: Duration.Input): Fault =>
  Latency({ millis: Duration.toMillis(duration) })

/**
 * Too many calls, as the service itself says it. With a `Retry-After`: seconds, or an HTTP date.
 */
export const throttled = (retryAfter?: number | string): Fault =>
  Throttled(retryAfter === undefined ? {} : { retryAfter })

/** This HTTP status, with a body in the service's own form. With a `Retry-After`: seconds, or an HTTP date. */
export const status = (code: number, retryAfter?: number | string): Fault =>
  Status({ status: code, ...(retryAfter !== undefined && { retryAfter }) })

/** The connection is cut (RST) without an answer. */
export const reset: Fault = Reset()

/** No answer, ever, until either side closes. */
export const hang: Fault = Hang()

/** The usual answer, cut in the middle of its body. */
export const truncated: Fault = Truncated()

/** This very body, with status 200 and `application/json` unless told otherwise. */
export const body = (
  text: string,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}
): Fault =>
  Answer({
    status: options.status ?? 200,
    headers: { "content-type": "application/json; charset=utf-8", ...options.headers },
    body: text
  })

/** A page in HTML, as a proxy or a load balancer answers in a service's place. */
export const html = (code = 502): Fault =>
  body(`<html><head><title>${code}</title></head><body><h1>Bad gateway</h1></body></html>\n`, {
    status: code,
    headers: { "content-type": "text/html" }
  })
