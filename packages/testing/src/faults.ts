/** What a server, or the way to it, may do instead of answering well. */
import type { Reason } from "@federate/core"
import type { Fetch } from "@federate/http"

export interface Fault {
  readonly name: string
  /** What it must become. */
  readonly becomes: Reason["_tag"]
  /** How many seconds the server asks to be left alone. */
  readonly retryAfter?: number
  /** @param well a good answer, of which some faults are made */
  readonly fetch: (well: () => Response) => Fetch
}

const answering = (
  name: string,
  becomes: Fault["becomes"],
  answer: (well: () => Response) => Response | Promise<Response>
) => ({ name, becomes, fetch: (well) => async () => answer(well) }) satisfies Fault

const throwing = (name: string, becomes: Fault["becomes"], code: string) =>
  ({
    name,
    becomes,
    fetch: () => () =>
      Promise.reject(
        new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) })
      )
  }) satisfies Fault

const html = "<!doctype html><title>Sign in</title>"

/** The status of a test's clock: the epoch. */
const soon = "Thu, 01 Jan 1970 00:00:07 GMT"

const half = async (well: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const whole = await well.bytes()
  return whole.slice(0, Math.ceil(whole.length / 2))
}

const like = (
  well: Response,
  body: Response["body"] | Uint8Array<ArrayBuffer> | string
): Response => new Response(body, { status: well.status, headers: well.headers })

/** The faults that every adapter tells apart in the same way. */
export const faults: ReadonlyArray<Fault> = [
  ...[408, 500, 502, 503, 504].map((status) =>
    answering(`${status}`, "Transient", () => new Response("", { status }))
  ),
  answering(
    "503 with a page",
    "Transient",
    () => new Response(html, { status: 503, headers: { "content-type": "text/html" } })
  ),
  {
    ...answering(
      "429 with seconds to wait",
      "Transient",
      () => new Response("", { status: 429, headers: { "retry-after": "7" } })
    ),
    retryAfter: 7
  },
  {
    ...answering(
      "429 with a date to wait for",
      "Transient",
      () => new Response("", { status: 429, headers: { "retry-after": soon } })
    ),
    retryAfter: 7
  },
  throwing("a refused connection", "Transient", "ECONNREFUSED"),
  throwing("a reset connection", "Transient", "ECONNRESET"),
  throwing("a name that is not known", "Transient", "EAI_AGAIN"),
  answering("a body that is cut off", "Transient", async (well) => {
    const start = await half(well())
    const cut = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(start),
      pull: (controller) => controller.error(new TypeError("terminated"))
    })
    return like(well(), cut)
  }),
  throwing("a certificate that is not trusted", "Misconfigured", "SELF_SIGNED_CERT_IN_CHAIN"),
  answering(
    "a page",
    "Malformed",
    () => new Response(html, { headers: { "content-type": "text/html" } })
  ),
  answering("half an answer", "Malformed", async (well) => like(well(), await half(well()))),
  answering("nothing", "Malformed", (well) => like(well(), "")),
  answering("an empty object", "Malformed", (well) => like(well(), "{}")),
  answering("10 MB", "Malformed", (well) => like(well(), " ".repeat(10_000_000))),
  answering(
    "a redirect",
    "Malformed",
    () => new Response("", { status: 302, headers: { location: "https://elsewhere.example/" } })
  ),
  answering(
    "a 404 with a page",
    "Malformed",
    () => new Response(html, { status: 404, headers: { "content-type": "text/html" } })
  )
]

/** A server that never answers, and that knows when its request was aborted. */
export const hanging = () => {
  const state = { asked: 0, aborted: 0 }
  const fetch: Fetch = (_, { signal }) =>
    new Promise((__, reject) => {
      state.asked++
      signal?.addEventListener("abort", () => {
        state.aborted++
        reject(signal.reason)
      })
    })
  return { state, fetch }
}
