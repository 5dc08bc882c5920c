/** The guarded fetch as the AWS SDK takes it. */
import { exchange } from "@federate/http"
import type { Fault, Fetch, HttpAnswer } from "@federate/http"
import * as Result from "effect/Result"

/** The part of the SDK's request that its JSON and Query protocols use. */
interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/**
 * A request handler for a client of the AWS SDK, over any `fetch`. It keeps each answer, or why there is none, under
 * the signal of its call: the SDK's own errors hold bodies and are not to be kept, so answers are classified from
 * these.
 */
export const requestHandler = (fetch: Fetch, now: () => number) => {
  const answers = new WeakMap<AbortSignal, Result.Result<HttpAnswer, Fault>>()
  return {
    answers,
    handle: async (
      request: SdkRequest,
      { abortSignal }: { readonly abortSignal?: AbortSignal } = {}
    ) => {
      const { body, headers, hostname, method, path, port, protocol } = request
      const url = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`
      const answer = await exchange(
        fetch,
        url,
        { method, headers, body: textOf(body), ...(abortSignal && { signal: abortSignal }) },
        now
      )
      if (abortSignal !== undefined) answers.set(abortSignal, answer)
      if (Result.isFailure(answer)) throw new Error("There is no answer")
      const { success } = answer
      return {
        response: {
          statusCode: success.status,
          headers: Object.fromEntries(success.headers),
          body: success.body
        }
      }
    }
  }
}

/** Both protocols send UTF-8 text, as octets or as a string. */
const textOf = (body: unknown): string =>
  body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body)
