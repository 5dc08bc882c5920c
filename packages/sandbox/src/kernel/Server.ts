/** Takes requests off the wire, finds whose they are, lets faults strike, and answers. */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { Fault } from "./Fault.ts"
import type { Request, Response } from "./Http.ts"
import type { Listener } from "./Listener.ts"
import type { Script } from "./Script.ts"
import type { Call, Service } from "./Service.ts"
import type { ServiceClock } from "./ServiceClock.ts"

/** The largest body that is read, in bytes: several times what any of these services takes. */
const maximumBody = 256 * 1024

export interface Options {
  readonly listener: Listener
  /** Asked in this order whether a request is theirs. */
  readonly services: ReadonlyArray<Service>
  readonly clock: ServiceClock
  readonly script: Script
}

/** How a request ends. */
type Ending = Data.TaggedEnum<{
  Answered: { readonly response: Response }
  /** With the length of the whole body announced, and half of it sent. */
  Truncated: { readonly response: Response }
  Reset: {}
}>

const { $match, Answered, Reset, Truncated } = Data.taggedEnum<Ending>()

/** Answers until the scope closes. */
export const serve = Effect.fnUntraced(function* (options: Options) {
  const run = yield* FiberSet.makeRuntime()
  options.listener.onRequest((incoming, outgoing) => {
    const fiber = run(
      Effect.catchCause(answer(options, incoming, outgoing), (cause) =>
        Effect.andThen(
          Effect.logError("The sandbox itself failed", cause),
          Effect.sync(() => send(outgoing, { status: 500, headers: {}, body: "" }))
        )
      )
    )
    // Nobody waits any more after a client has hung up.
    outgoing.once("close", () => fiber.interruptUnsafe())
  })
})

const answer = Effect.fnUntraced(function* (
  options: Options,
  incoming: IncomingMessage,
  outgoing: ServerResponse
) {
  const body = yield* read(incoming)
  if (body === undefined) {
    return send(outgoing, { status: 413, headers: { connection: "close" }, body: "" })
  }
  const request = toRequest(incoming, body)
  const found = find(options.services, request)
  if (found === undefined) return send(outgoing, { status: 404, headers: {}, body: "" })
  const { call, service } = found
  const faults = call.endpoint === undefined ? [] : options.script.call(call.endpoint)
  const ending = yield* strike(faults, service, request, call)
  const date = new Date(yield* options.clock.now(service.name)).toUTCString()
  const dated = (response: Response) => ({
    ...response,
    headers: { date, ...response.headers }
  })
  return $match(ending, {
    Answered: ({ response }) => send(outgoing, dated(response)),
    Truncated: ({ response }) => truncate(outgoing, dated(response)),
    Reset: () => options.listener.reset(incoming)
  })
})

const find = (services: ReadonlyArray<Service>, request: Request) => {
  for (const service of services) {
    const call = service.route(request)
    if (call !== undefined) return { service, call }
  }
  return undefined
}

/** In the order they were set; the first that is not a latency ends the call. */
const strike = Effect.fnUntraced(function* (
  faults: ReadonlyArray<Fault>,
  service: Service,
  request: Request,
  call: Call
) {
  for (const fault of faults) {
    const ending = yield* endingBy(fault, service, request, call)
    if (ending !== undefined) return ending
  }
  return Answered({ response: yield* call.answer })
})

const endingBy = (
  fault: Fault,
  service: Service,
  request: Request,
  call: Call
): Effect.Effect<Ending | undefined> => {
  switch (fault._tag) {
    case "Latency":
      return Effect.as(Effect.sleep(fault.millis), undefined)
    case "Throttled":
      return Effect.map(service.failure(request, "throttled"), later(fault.retryAfter))
    case "Status":
      return Effect.map(service.failure(request, fault.status), later(fault.retryAfter))
    case "Reset":
      return Effect.succeed(Reset())
    case "Hang":
      return Effect.never
    case "Truncated":
      return Effect.map(call.answer, (response) => Truncated({ response }))
    case "Answer":
      return Effect.succeed(Answered({ response: fault }))
  }
}

const later =
  (retryAfter: number | string | undefined) =>
  (response: Response): Ending =>
    Answered({
      response:
        retryAfter === undefined
          ? response
          : { ...response, headers: { ...response.headers, "retry-after": `${retryAfter}` } }
    })

/** Nothing when it is larger than what is read. */
const read = (incoming: IncomingMessage) =>
  Effect.callback<Buffer | undefined>((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= maximumBody) chunks.push(chunk)
      else resume(Effect.undefined)
    })
    incoming.once("end", () => resume(Effect.succeed(Buffer.concat(chunks))))
  })

const toRequest = (incoming: IncomingMessage, body: Buffer): Request => {
  const target = incoming.url ?? "/"
  const [path, search] = target.includes("?")
    ? [target.slice(0, target.indexOf("?")), target.slice(target.indexOf("?") + 1)]
    : [target, ""]
  const headers = Object.fromEntries(
    Object.entries(incoming.headersDistinct).map(([name, values]) => [name, values?.join(",")])
  )
  return {
    method: incoming.method ?? "GET",
    path,
    query: new URLSearchParams(search),
    headers,
    body
  }
}

const send = (outgoing: ServerResponse, { body, headers, status }: Response): void => {
  if (outgoing.headersSent) return
  outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body)
}

const truncate = (outgoing: ServerResponse, { body, headers, status }: Response): void => {
  const bytes = Buffer.from(body)
  outgoing.writeHead(status, { ...headers, "content-length": bytes.length })
  outgoing.write(bytes.subarray(0, bytes.length / 2), () => outgoing.destroy())
}
