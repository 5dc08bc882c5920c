/** A request and an answer as the stand-ins see them: plain values, read to the end. */
import * as Result from "effect/Result"

export interface Request {
  readonly method: string
  /** As it came, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer in JSON. */
export const json = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): Response => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body)
})

/** What a published document (discovery, keys) may be cached for: a day, as Entra and Cognito say. */
export const document = (body: unknown): Response =>
  json(200, body, { "cache-control": "public, max-age=86400" })

/**
 * Matches a path against a pattern of segments, where `{name}` takes any one: `/{tenant}/oauth2/token`. The values
 * come back decoded.
 */
export const matchPath = (
  pattern: string,
  path: string
): Readonly<Record<string, string>> | undefined => {
  const expected = pattern.split("/")
  const actual = path.split("/")
  if (expected.length !== actual.length) return undefined
  const values: Record<string, string> = {}
  for (const [index, segment] of expected.entries()) {
    const value = decodeSegment(actual[index]!)
    if (segment.startsWith("{") && value !== "") values[segment.slice(1, -1)] = value
    else if (segment !== value) return undefined
  }
  return values
}

/** A path's segment as meant; one that is badly encoded stays as it is, and matches nothing. */
export const decodeSegment = (segment: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(segment)),
    () => segment
  )

/** A body of `application/x-www-form-urlencoded`. */
export const form = (request: Request): URLSearchParams =>
  new URLSearchParams(request.body.toString("utf8"))
