/** A `fetch` over Node's own HTTP client, for what the platform's cannot be told for one call: a unix socket, another CA. */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { Readable } from "node:stream"
import type { Fetch } from "./Fetch.ts"

/** What a connection's TLS is made with, PEM. */
export interface TlsOptions {
  /** Whose certificates are trusted, and nobody else's. Default: whom the process trusts. */
  readonly ca?: string | undefined
  /** The certificate that is shown, and its private key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface NodeFetchOptions extends TlsOptions {
  /** Asked over this unix socket, whatever the URL's host. */
  readonly socketPath?: string | undefined
  /** Asked over this connection, TLS and all. */
  readonly createConnection?: (() => Socket) | undefined
}

/** A connection for each call, through no proxy. Redirects are never followed. */
export const nodeFetch =
  (options: NodeFetchOptions): Fetch =>
  async (url, { body, headers, method = "GET", signal }) => {
    const { request } = url.startsWith("https:")
      ? await import("node:https")
      : await import("node:http")
    const bytes = body == null ? undefined : await new Response(body).bytes()
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        url,
        {
          ...options,
          // An agent would open connections of its own.
          ...(options.createConnection === undefined && { agent: false }),
          // Which an agent would know, so that `Host` names no port that goes without saying.
          defaultPort: url.startsWith("https:") ? 443 : 80,
          method,
          headers: Object.fromEntries(new Headers(headers)),
          ...(signal != null && { signal })
        },
        resolve
      )
      // Not `once`: what fails after the answer has begun fails here too, and its body tells it.
      sent.on("error", reject)
      sent.end(bytes)
    })
    const { headersDistinct, statusCode: status = 0 } = incoming
    const answered = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value])
    )
    // These have no body, and a `Response` takes none for them (RFC 9110 §15).
    const empty = status === 204 || status === 205 || status === 304
    if (empty) incoming.resume()
    return new Response(
      // Node's own type for the web's stream is another than the web's.
      empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>),
      { status, headers: answered }
    )
  }
