/** The one request listener: path, headers, answer, audit. */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { problem, refusal } from "./Answer.ts"
import type { Answer } from "./Answer.ts"
import type { Audit } from "./Audit.ts"
import * as Headers from "./Headers.ts"
import { maximumWaiting } from "./limits.ts"
import type { Call, Route, Table } from "./Route.ts"

/** A plain Node request listener, for any `http.Server`. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void

export interface Options {
  readonly table: Table
  /** The way in, as the audit names it. */
  readonly caller: string
  /** Names that `Host` may have besides this machine's; nothing on a unix socket, where it says nothing. */
  readonly hosts: ReadonlyArray<string> | undefined
  readonly audit: Audit
  readonly run: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
  /** How many requests wait, over all ways in. */
  readonly waiting: { count: number }
  /** Answers by protocol and status, over all ways in. */
  readonly counts: Map<string, Map<number, number>>
}

const nowhere: Route = {
  protocol: "none",
  method: "GET",
  refuse: problem,
  handle: () =>
    problem(refusal("not_found", "Nothing is served at this path. The page at / tells what is."))
}

export const listener = (options: Options): Listener => {
  const { audit, caller, counts, run, table, waiting } = options
  const hosts = hostsOf(options.hosts)

  const find = (path: string): Route => {
    const exact = table.get(path)
    if (exact !== undefined) return exact
    const lower = table.get(path.toLowerCase())
    if (lower?.anyCase === true) return lower
    const end = path.indexOf("/", 1)
    const above = end === -1 ? undefined : table.get(path.slice(0, end))
    return above?.below === true ? above : nowhere
  }

  const count = (protocol: string, status: number): void => {
    let statuses = counts.get(protocol)
    if (statuses === undefined) counts.set(protocol, (statuses = new Map()))
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }

  const write = (
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    { body, encoding = "utf8", handed, headers, refused, status }: Answer
  ): void => {
    // Nobody is there any more: nothing was handed out. (A response that is queued behind another does not tell.)
    if (request.socket.destroyed) return
    // What is left of a body that nobody reads is not waited for.
    if (refused !== undefined && !request.complete) response.shouldKeepAlive = false
    response.writeHead(
      status,
      // Node's types want a mutable array; it does not change it.
      (status === 405 ? [...headers, "Allow", route.method] : headers) as Array<string>
    )
    response.end(body, encoding)
    count(route.protocol, status)
    if (handed !== undefined) audit.handed(caller, handed)
    else if (refused !== undefined) {
      const { code, message } = refused
      audit.refused(caller, { protocol: route.protocol, status, code, message })
    }
  }

  /** Why a request is not even handled. */
  const refused = (request: IncomingMessage, headers: Headers.Headers, route: Route) => {
    const unheard = Headers.refused(headers, hosts?.(request), route.pages === true)
    if (unheard !== undefined || route === nowhere) return unheard
    if (request.method !== route.method) {
      return refusal("method_not_allowed", `Use ${route.method}.`)
    }
    return headers.body && route.method !== "POST"
      ? refusal("invalid_request", "The request has a body; none is taken here.")
      : undefined
  }

  const takenApart = (url: string) => {
    const mark = url.indexOf("?")
    const path = mark === -1 ? url : url.slice(0, mark)
    return { url, path, query: mark === -1 ? "" : url.slice(mark + 1), route: find(path) }
  }
  // Most callers ask for one thing, again and again.
  let asked = takenApart("")

  return (request, response) => {
    const { url = "" } = request
    if (url !== asked.url) asked = takenApart(url)
    const { path, query, route } = asked
    const headers = Headers.read(request.rawHeaders)
    const unheard = refused(request, headers, route)
    if (unheard !== undefined) {
      write(request, response, route, route.refuse(unheard))
      return
    }
    const call: Call = { request, headers, path, query, caller }
    const answer = route.handle(call)
    if (!Effect.isEffect(answer)) {
      write(request, response, route, answer)
      return
    }
    if (waiting.count >= maximumWaiting) {
      const busy = refusal(
        "unavailable",
        "Too many requests are waiting. Ask again in a second.",
        1
      )
      write(request, response, route, route.refuse(busy))
      return
    }
    waiting.count++
    const fiber = run(answer)
    // Who leaves is not waited for; what it asked for goes on being fetched.
    const left = (): void => fiber.interruptUnsafe()
    response.once("close", left)
    fiber.addObserver((exit) => {
      waiting.count--
      response.off("close", left)
      write(request, response, route, Exit.isSuccess(exit) ? exit.value : route.refuse(failed))
    })
  }
}

/** A fault of the broker's own, or its end. */
const failed = refusal("unavailable", "The broker could not answer. Ask again in a second.", 1)

/**
 * The names that `Host` may have: this machine's, and the address that the request came in at. A page that rebinds its
 * own name to that address still sends its name.
 */
const hostsOf = (
  more: ReadonlyArray<string> | undefined
): ((request: IncomingMessage) => ReadonlySet<string> | undefined) | undefined => {
  if (more === undefined) return undefined
  let port: number | undefined
  let address: string | undefined
  let hosts: ReadonlySet<string> = new Set()
  return ({ socket }) => {
    const { localAddress, localPort } = socket
    // A unix socket: the name says nothing there.
    if (localPort === undefined) return undefined
    if (localPort !== port || localAddress !== address) {
      port = localPort
      address = localAddress
      const plain = address?.replace(/^::ffff:/, "") ?? "localhost"
      const names = ["127.0.0.1", "localhost", "[::1]", plain.includes(":") ? `[${plain}]` : plain]
      hosts = new Set([
        ...names.map((name) => `${name}:${port}`),
        // RFC 9110 §7.2: the scheme's own port may be left out.
        ...(port === 80 ? names : []),
        ...more.map((name) => name.toLowerCase())
      ])
    }
    return hosts
  }
}
