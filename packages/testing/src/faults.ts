/** What a server, or the way to it, may do instead of answering well. */
import type { Reason } from "@federate/core"
import type { Fetch } from "@federate/http"

/** A good answer to what was asked; who asks one thing alone needs to look at neither. */
export type Answer = (url: string, init: RequestInit) => Response

export interface Fault {
  /** What it may become. A refusal that says nothing is told by its status, or as an answer that makes no sense. */
  readonly becomes: ReadonlyArray<Reason["_tag"]>
  /** How many seconds the server asks to be left alone. */
  readonly retryAfter?: number
  /** @param well a good answer, of which some faults are made */
  readonly fetch: (well: Answer) => Fetch
}

const answering = (
  becomes: Fault["becomes"],
  answer: (well: Response) => Response | Promise<Response>
): Fault => ({ becomes, fetch: (well) => async (url, init) => answer(well(url, init)) })

const throwing = (becomes: Fault["becomes"], code: string): Fault => ({
  becomes,
  fetch: () => () =>
    Promise.reject(
      new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) })
    )
})

export const transient = ["Transient"] as const
const malformed = ["Malformed"] as const
const refused = ["Malformed", "Rejected"] as const

const page = (status: number, headers = {}) =>
  new Response("<!doctype html><title>Sign in</title>", {
    status,
    headers: { "content-type": "text/html", ...headers }
  })

/** Seven seconds after the epoch, where a check's clock stands. */
const soon = "Thu, 01 Jan 1970 00:00:07 GMT"

/** A third: of a JWT, then, no more than a part of its claims. */
const beginning = async (well: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const whole = await well.bytes()
  return whole.slice(0, Math.ceil(whole.length / 3))
}

const like = (
  well: Response,
  body: Response["body"] | Uint8Array<ArrayBuffer> | string
): Response => new Response(body, { status: well.status, headers: well.headers })

/** The faults that every adapter tells apart in the same way, by name. */
export const faults = {
  "a 408": answering(transient, () => new Response("", { status: 408 })),
  "a 500": answering(transient, () => new Response("", { status: 500 })),
  "a 502": answering(transient, () => new Response("", { status: 502 })),
  "a 503": answering(transient, () => new Response("", { status: 503 })),
  "a 504": answering(transient, () => new Response("", { status: 504 })),
  "a 503 with a page": answering(transient, () => page(503)),
  "a 429 with seconds to wait": {
    ...answering(transient, () => page(429, { "retry-after": "7" })),
    retryAfter: 7
  },
  "a 429 with a date to wait for": {
    ...answering(
      transient,
      () => new Response("", { status: 429, headers: { "retry-after": soon } })
    ),
    retryAfter: 7
  },
  "a refused connection": throwing(transient, "ECONNREFUSED"),
  "a reset connection": throwing(transient, "ECONNRESET"),
  "a name that is not known": throwing(transient, "EAI_AGAIN"),
  "a body that is cut off": answering(transient, async (well) => {
    const start = await beginning(well.clone())
    const cut = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(start),
      pull: (controller) => controller.error(new TypeError("terminated"))
    })
    return like(well, cut)
  }),
  "a certificate that is not trusted": throwing(["Misconfigured"], "SELF_SIGNED_CERT_IN_CHAIN"),
  "a page": answering(malformed, () => page(200)),
  "the beginning of an answer": answering(malformed, async (well) =>
    like(well, await beginning(well.clone()))
  ),
  nothing: answering(malformed, (well) => like(well, "")),
  "an empty object": answering(malformed, (well) => like(well, "{}")),
  "10 MB": answering(malformed, (well) => like(well, " ".repeat(10_000_000))),
  "a redirect": answering(
    malformed,
    () => new Response("", { status: 302, headers: { location: "https://elsewhere.example/" } })
  ),
  "a 400 that says nothing": answering(refused, () => Response.json({}, { status: 400 })),
  "a 403 with a page": answering(refused, () => page(403)),
  "a 404 with a page": answering(refused, () => page(404))
} satisfies Record<string, Fault>

/** A fault's name. */
export type FaultName = keyof typeof faults

/** A server that stops before it has answered, and knows which of its requests are still open. */
export interface Silence {
  readonly fetch: Fetch
  readonly asked: () => number
  readonly open: () => number
}

const silence = (answer: (ended: Promise<never>) => Promise<Response>): Silence => {
  let asked = 0
  let open = 0
  return {
    asked: () => asked,
    open: () => open,
    fetch: (_, { signal }) => {
      asked++
      open++
      const ended = new Promise<never>((__, reject) =>
        signal?.addEventListener("abort", () => {
          open--
          reject(signal.reason)
        })
      )
      return answer(ended)
    }
  }
}

/** It never answers. */
export const silent = (): Silence => silence((ended) => ended)

/** It begins to answer, and goes no further. */
export const stalled = (): Silence =>
  silence(
    async (ended) =>
      new Response(
        new ReadableStream<Uint8Array<ArrayBuffer>>({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode("{"))
            ended.catch((error: unknown) => controller.error(error))
          }
        })
      )
  )
