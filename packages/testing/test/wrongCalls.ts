/** For each check of what asks over a `fetch`: what must be wrong with an adapter so that it fails that check alone. */
import { Malformed, Transient } from "@federate/core"
import type { Reason } from "@federate/core"
import type { Fetch, HttpAnswer } from "@federate/http"
import { Effect, Metric } from "effect"
import type { Wrong } from "./adapters.ts"

const nonsense = new Malformed({ detail: "It makes no sense" })
const again = new Transient({ detail: "Try again" })

/** It takes one kind of answer for something else. */
const misread = (which: (answer: HttpAnswer) => boolean, as: Reason): Wrong => ({
  reason: (reason, answer) => (answer !== undefined && which(answer) ? as : reason)
})

/** It takes what is no answer for something else. */
const unheard = (which: (reason: Reason) => boolean, as: Reason): Wrong => ({
  reason: (reason, answer) => (answer === undefined && which(reason) ? as : reason)
})

const says = (text: string | RegExp) => (reason: Reason) =>
  "detail" in reason && reason.detail.search(text) >= 0

const status =
  (code: number, page = false) =>
  (answer: HttpAnswer) =>
    answer.status === code && (answer.headers.get("content-type") === "text/html") === page

const body =
  (text: RegExp, code = 200) =>
  (answer: HttpAnswer) =>
    answer.status === code && text.test(new TextDecoder().decode(answer.body))

/** It forgets when the server wants to be asked again. */
const forgetful = (form: RegExp): Wrong => ({
  reason: (reason, answer) =>
    reason._tag === "Transient" && form.test(answer?.headers.get("retry-after") ?? "")
      ? again
      : reason
})

/** A signal that is another's for a while. */
const linked = (signal: AbortSignal | null | undefined) => {
  const own = new AbortController()
  const abort = () => own.abort(signal?.reason)
  return {
    signal: own.signal,
    link: () => signal?.addEventListener("abort", abort),
    unlink: () => signal?.removeEventListener("abort", abort)
  }
}

/** It hears no interruption while it waits for an answer. */
const deafWhileWaiting =
  (fetch: Fetch): Fetch =>
  async (url, init) => {
    const { link, signal } = linked(init.signal)
    const response = await fetch(url, { ...init, signal })
    link()
    return response
  }

/** It hears none while it reads one. */
const deafWhileReading =
  (fetch: Fetch): Fetch =>
  async (url, init) => {
    const { link, signal, unlink } = linked(init.signal)
    link()
    const response = await fetch(url, { ...init, signal })
    unlink()
    return response
  }

/** It quotes what it sent, or was sent. */
const quoting: Wrong = {
  reason: (reason, answer) =>
    answer === undefined || reason._tag !== "Malformed"
      ? reason
      : new Malformed({ detail: new TextDecoder().decode(answer.body) })
}

/** It lets the secret that it sends be seen. */
const showing = (show: (secret: string) => Effect.Effect<unknown>): Wrong => ({
  around: (request, secret) => Effect.andThen(show(secret), request)
})

const leaks = Metric.counter("leaks")

const secrecy = "shows no secret, in what it gives, what it fails with, its logs, spans or metrics"

export const wrongCalls: ReadonlyArray<readonly [check: string, wrong: Wrong]> = [
  ["a 408 is Transient", misread(status(408), nonsense)],
  ["a 500 is Transient", misread(status(500), nonsense)],
  ["a 502 is Transient", misread(status(502), nonsense)],
  ["a 503 is Transient", misread(status(503), nonsense)],
  ["a 504 is Transient", misread(status(504), nonsense)],
  ["a 503 with a page is Transient", misread(status(503, true), nonsense)],
  ["a 429 with seconds to wait is Transient", forgetful(/^\d+$/)],
  ["a 429 with a date to wait for is Transient", forgetful(/GMT$/)],
  ["a refused connection is Transient", unheard(says("ECONNREFUSED"), nonsense)],
  ["a reset connection is Transient", unheard(says("ECONNRESET"), nonsense)],
  ["a name that is not known is Transient", unheard(says("EAI_AGAIN"), nonsense)],
  ["a body that is cut off is Transient", unheard(says(/^No answer from [\w.]+$/), nonsense)],
  [
    "a certificate that is not trusted is Misconfigured",
    unheard(({ _tag }) => _tag === "Misconfigured", nonsense)
  ],
  ["a page is Malformed", misread(status(200, true), again)],
  ["the beginning of an answer is Malformed", misread(body(/^\{"[^}]*$/), again)],
  ["nothing is Malformed", misread(body(/^$/), again)],
  ["an empty object is Malformed", misread(body(/^\{\}$/), again)],
  ["10 MB is Malformed", unheard(says("more than"), again)],
  ["a redirect is Malformed", misread(status(302), again)],
  ["a 400 that says nothing is Malformed or Rejected", misread(status(400), again)],
  ["a 403 with a page is Malformed or Rejected", misread(status(403, true), again)],
  ["a 404 with a page is Malformed or Rejected", misread(status(404, true), again)],
  ["a denial is Rejected", misread(body(/denied/, 401), again)],
  ["aborts its request when it is interrupted", { fetch: deafWhileWaiting }],
  ["aborts its request when it is interrupted while it reads", { fetch: deafWhileReading }],
  [
    "waits for a server that never answers, or calls it Transient",
    unheard(says("in time"), nonsense)
  ],
  [
    "makes one attempt: trying again is the flow's",
    { around: (request) => Effect.retry(request, { times: 1 }) }
  ],
  [secrecy, quoting],
  [secrecy, showing((secret) => Effect.logDebug(secret).pipe(Effect.withSpan("ask")))],
  [secrecy, showing((secret) => Effect.logInfo("asking", { secret }))],
  [secrecy, showing((secret) => Effect.annotateCurrentSpan({ secret }))],
  [secrecy, showing((secret) => Metric.update(Metric.withAttributes(leaks, { secret }), 1))]
]
