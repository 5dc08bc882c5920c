/** A `fetch` that attaches a flow's token. */
import { claimsChallenge, endpoint, platformFetch } from "@federate/http"
import * as Result from "effect/Result"
import type { AccessToken } from "./Credential.ts"
import type { Fetch } from "./adapters.ts"
import type { TokenFlow } from "./Flow.ts"
import { FederationError } from "./FederationError.ts"

/** As the platform's is called. */
export type AuthorizedFetch = (
  input: string | URL | Request,
  init?: RequestInit
) => Promise<Response>

export interface FetchOptions {
  /** Who may see the token: `https://graph.microsoft.com`; http on loopback alone. */
  readonly origins: ReadonlyArray<string>
  readonly scopes?: string | ReadonlyArray<string>
  /** Default: the platform's. */
  readonly fetch?: Fetch
}

/** As browsers have it (https://fetch.spec.whatwg.org/#http-redirect-fetch). */
const mostRedirects = 20

/** How long a token that came in vain is not renewed again, in milliseconds: a resource may refuse them all. */
const vainPause = 60_000

/** What may be told to an origin that was not named: how an answer is wanted, and nothing that says of whom. */
const harmless = new Set(["accept", "accept-language", "range"])

/**
 * Attaches the token to requests to the named origins, and refuses requests to any other. On a 401 a new token is asked
 * for, with the claims that a challenge demands, and the request is sent once more, where its body can be: a text, bytes,
 * a form or a `Blob` can, a stream or a `Request` with a body cannot, and gets the 401. Redirects of GET and HEAD are
 * followed, to other origins without the token or any header but `Accept`, `Accept-Language` and `Range`; those of
 * other methods are handed back.
 *
 * @example
 * ```ts
 * const fetch = toFetch(flow, {
 *   origins: ["https://graph.microsoft.com"],
 *   scopes: "https://graph.microsoft.com/.default"
 * })
 * const response = await fetch("https://graph.microsoft.com/v1.0/applications")
 * ```
 */
export const toFetch = (
  flow: TokenFlow,
  { origins, scopes, fetch = platformFetch }: FetchOptions
): AuthorizedFetch => {
  const allowed = new Set(origins.map(originOf))

  const send = (url: string, request: Prepared, { token, tokenType }: AccessToken) => {
    const headers = new Headers(request.init.headers)
    // An assertion that is handed out as it is (`N_A`) is a bearer token where it is taken.
    headers.set("authorization", `${tokenType === "N_A" ? "Bearer" : tokenType} ${token}`)
    return fetch(url, { ...request.init, headers, redirect: "manual" })
  }

  /** What was refused as well, in the place of a refused one. */
  let vain: AccessToken | undefined

  /** With the token; once more when it is refused. */
  const authorized = async (url: string, request: Prepared): Promise<Response> => {
    const { signal } = request.init
    const call = { signal: signal ?? undefined }
    const held = await flow.getToken(scopes, call)
    const response = await send(url, request, held)
    if (response.status !== 401) return response
    const claims = claimsChallenge(response.headers)
    const isVain = held.token === vain?.token && Date.now() - held.obtainedAt < vainPause
    if (isVain && claims === undefined) return response
    const renewing = flow.getToken(scopes, { ...call, claims, rejected: held })
    const renewed = await renewing.catch(async (error: unknown) => {
      await response.body?.cancel()
      throw error
    })
    if (!request.repeatable || renewed.token === held.token) return response
    await response.body?.cancel()
    const again = await send(url, request, renewed)
    if (again.status === 401) vain = renewed
    return again
  }

  return async (input, init) => {
    const request = prepared(input, init)
    let { url } = request
    if (!allowed.has(new URL(url).origin)) throw notAllowed(url)
    for (let redirects = 0; ; redirects++) {
      // oxlint-disable-next-line no-await-in-loop -- each redirect tells the next
      const response = await authorized(url, request)
      const location = target(url, request, response)
      if (location === undefined) return response
      // oxlint-disable-next-line no-await-in-loop -- as above
      await response.body?.cancel()
      if (redirects === mostRedirects) throw new TypeError("fetch failed: too many redirects")
      if (!allowed.has(new URL(location).origin)) {
        const { headers, method, signal } = request.init
        const told = [...new Headers(headers)].filter(([name]) => harmless.has(name))
        return fetch(location, { method: method!, headers: told, signal: signal ?? null })
      }
      url = location
    }
  }
}

interface Prepared {
  readonly url: string
  readonly init: RequestInit
  /** Whether the body can be sent again. */
  readonly repeatable: boolean
}

const prepared = (input: string | URL | Request, init: RequestInit = {}): Prepared => {
  if (!(input instanceof Request)) {
    const { body } = init
    const url = new URL(input).href
    return { url, init: { ...init, method: methodOf(init.method) }, repeatable: isRepeatable(body) }
  }
  const { body, headers, method, redirect, signal } = input
  const own: RequestInit = {
    headers,
    method,
    redirect,
    signal,
    // A stream is sent while it is read.
    ...(body !== null && { body, duplex: "half" })
  }
  const merged = { ...own, ...init }
  return { url: input.url, init: merged, repeatable: isRepeatable(merged.body) }
}

const methodOf = (method = "GET"): string =>
  /^(get|head)$/i.test(method) ? method.toUpperCase() : method

const isRepeatable = (body: unknown): boolean =>
  body === undefined ||
  body === null ||
  typeof body === "string" ||
  body instanceof ArrayBuffer ||
  ArrayBuffer.isView(body) ||
  body instanceof Blob ||
  body instanceof FormData ||
  body instanceof URLSearchParams

/** Where a redirect leads that is followed. */
const target = (
  url: string,
  { init }: Prepared,
  { headers, status }: Response
): string | undefined => {
  const location = headers.get("location")
  if (location === null || ![301, 302, 303, 307, 308].includes(status)) return undefined
  if (init.redirect === "error") throw new TypeError("fetch failed: unexpected redirect")
  if (init.redirect === "manual" || !["GET", "HEAD"].includes(init.method!)) return undefined
  return new URL(location, url).href
}

const originOf = (origin: string): string => {
  const url = endpoint("origins", origin)
  if (Result.isSuccess(url) && url.success.pathname === "/") return url.success.origin
  throw misconfigured(
    Result.isFailure(url) ? url.failure.problem : `"${origin}" is more than an origin`,
    Result.isFailure(url)
      ? url.failure.hint
      : "Write scheme and host alone: https://graph.microsoft.com."
  )
}

const notAllowed = (url: string): FederationError =>
  misconfigured(
    `${new URL(url).origin} is not among them`,
    "Name it there if it may see the token; use the platform's fetch for all else."
  )

const misconfigured = (problem: string, hint: string): FederationError =>
  new FederationError(`fetch: origins: ${problem}. ${hint}`, {
    adapter: "fetch",
    stage: "configuration",
    reason: { type: "Misconfigured", setting: "origins", problem, hint }
  })
