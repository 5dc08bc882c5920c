/** A broker on a free port, over flows whose upstream a test has in its hand, and a client that sends what it is told. */
import { IncomingMessage, request as send, ServerResponse } from "node:http"
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http"
import { Socket } from "node:net"
import { listen, make } from "@federate/broker"
import type {
  Audit,
  BrokerConfig,
  Handed,
  Options,
  Refused,
  ServedFlow,
  Where
} from "@federate/broker"
import {
  Assertion,
  AssertionSource,
  Credential,
  Flow,
  RefreshPolicy,
  RetryPolicy,
  TokenExchanger
} from "@federate/core"
import type { Reason, TokenRequest } from "@federate/core"
import { Clock, Effect, Redacted, Result } from "effect"
import { Base64Url } from "effect/encoding"

/** What a flow's upstream does, changed by a test while it runs. */
export interface Upstream {
  /** What it was asked, in turn. */
  readonly asked: Array<TokenRequest.TokenRequest>
  /** Runs before it answers: fails, or waits. Default: nothing. */
  before: Effect.Effect<void, Reason>
}

const unsigned = (claims: Record<string, unknown>): string =>
  [JSON.stringify({ alg: "RS256", typ: "JWT" }), JSON.stringify(claims), "signature"]
    .map((part) => Base64Url.encode(part))
    .join(".")

/** Assertions for whatever audience, each with its own `jti`; they live for `life` milliseconds. */
const issuer = (name: string, life: number, upstream?: Upstream) => {
  let count = 0
  return AssertionSource.make({
    name,
    assertion: Effect.fnUntraced(function* ({ audience = "party" }) {
      yield* upstream?.before ?? Effect.void
      if (upstream !== undefined) upstream.asked.push({ audience })
      const obtainedAt = yield* Clock.currentTimeMillis
      const iat = Math.floor(obtainedAt / 1000)
      const claims = {
        iss: "https://issuer",
        sub: "workload",
        aud: audience,
        iat,
        exp: iat + life / 1000,
        jti: ++count
      }
      return Result.getOrThrow(
        Assertion.fromJwt(Redacted.make(unsigned(claims)), { obtainedAt, issuerTime: "iat" })
      )
    })
  })
}

interface FlowOptions {
  /** In milliseconds. Default: an hour. */
  readonly life?: number
  readonly retry?: RetryPolicy.RetryPolicy
  readonly refresh?: RefreshPolicy.RefreshPolicy
}

interface Programmed<Served extends ServedFlow> {
  readonly served: Served
  readonly upstream: Upstream
}

type Tokens = Extract<ServedFlow, { over?: unknown }>
type Keys = Exclude<ServedFlow, { over?: unknown }>

const upstreamOf = (): Upstream => ({ asked: [], before: Effect.void })

/** A flow that issues access tokens: `NAME-1`, `NAME-2`, … */
export const tokens = Effect.fnUntraced(function* (
  name: string,
  {
    life = 3_600_000,
    refresh,
    retry = RetryPolicy.none,
    exchanger: party = "party",
    source = "issuer",
    ...about
  }: FlowOptions & Pick<Tokens, "client" | "cloud" | "exchanger" | "source"> = {}
): Effect.fn.Return<Programmed<Tokens>, never, import("effect").Scope.Scope> {
  const upstream = upstreamOf()
  const exchanger = TokenExchanger.make({
    name: party,
    exchange: Effect.fnUntraced(function* (_, request) {
      const count = upstream.asked.push(request)
      yield* upstream.before
      const obtainedAt = yield* Clock.currentTimeMillis
      return Credential.accessToken({
        token: Redacted.make(`${name}-${count}`),
        tokenType: "Bearer",
        obtainedAt,
        expiresAt: obtainedAt + life,
        ...(request.scopes !== undefined && { scopes: request.scopes })
      })
    })
  })
  const over = (from: AssertionSource.AssertionSource) =>
    Flow.make({ name, source: from, exchanger, retry, ...(refresh !== undefined && { refresh }) })
  const flow = yield* Effect.orDie(over(issuer(source, life)))
  return {
    upstream,
    served: { flow, issues: "AccessToken", source, exchanger: party, over, ...about }
  }
})

/** A flow without an exchanger. */
export const assertions = Effect.fnUntraced(function* (
  name: string,
  { life = 3_600_000, refresh, retry = RetryPolicy.none }: FlowOptions = {}
): Effect.fn.Return<Programmed<Tokens>, never, import("effect").Scope.Scope> {
  const upstream = upstreamOf()
  const flow = yield* Effect.orDie(
    Flow.make({
      name,
      source: issuer("issuer", life, upstream),
      retry,
      ...(refresh !== undefined && { refresh })
    })
  )
  return { upstream, served: { flow, issues: "Assertion", source: "issuer" } }
})

/** A flow that issues AWS credentials: `AKIA1`, `AKIA2`, … */
export const keys = Effect.fnUntraced(function* (
  name: string,
  { life = 3_600_000, refresh, retry = RetryPolicy.none }: FlowOptions = {}
): Effect.fn.Return<Programmed<Keys>, never, import("effect").Scope.Scope> {
  const upstream = upstreamOf()
  const flow = yield* Effect.orDie(
    Flow.make({
      name,
      source: issuer("issuer", life),
      exchanger: TokenExchanger.make({
        name: "party",
        exchange: Effect.fnUntraced(function* (_, request) {
          const count = upstream.asked.push(request)
          yield* upstream.before
          const obtainedAt = yield* Clock.currentTimeMillis
          return Credential.awsCredentials({
            accessKeyId: `AKIA${count}`,
            secretAccessKey: Redacted.make(`secret-${count}`),
            sessionToken: Redacted.make(`session-${count}`),
            accountId: "123456789012",
            obtainedAt,
            expiresAt: obtainedAt + life
          })
        })
      }),
      retry,
      ...(refresh !== undefined && { refresh })
    })
  )
  return {
    upstream,
    served: { flow, issues: "AwsCredentials", cloud: "aws", source: "issuer", exchanger: "party" }
  }
})

export interface Sent {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders | ReadonlyArray<string>
  readonly body?: string
}

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: () => Record<string, unknown>
}

/** Sends a request as it stands: nothing of its path is tidied up, and headers may be there twice. */
export const ask = (
  origin: string,
  path: string,
  { body, headers = {}, method = "GET" }: Sent = {}
): Effect.Effect<Got> =>
  Effect.callback((resume) => {
    const { hostname, port } = new URL(origin.replace(/^unix:.*/, "http://localhost:80"))
    const socketPath = /^unix:(.*)$/.exec(origin)?.[1]
    const request = send(
      {
        ...(socketPath === undefined ? { host: hostname, port } : { socketPath }),
        path,
        method,
        headers,
        agent: false
      },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8")
          resume(
            Effect.succeed({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text,
              json: () => JSON.parse(text) as Record<string, unknown>
            })
          )
        })
      }
    )
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
    return Effect.sync(() => request.destroy())
  })

/** An audit that remembers. */
export const remembering = () => {
  const handed: Array<Handed & { readonly caller: string }> = []
  const refused: Array<Refused & { readonly caller: string }> = []
  const audit: Audit = {
    handed: (caller, each) => handed.push({ caller, ...each }),
    refused: (caller, each) => refused.push({ caller, ...each })
  }
  return { audit, handed, refused }
}

/** A broker that listens, with the variables that its clients would have. */
export const serving = Effect.fnUntraced(function* (
  flows: ReadonlyArray<ServedFlow>,
  config: BrokerConfig = {},
  where: Where = { host: "127.0.0.1", port: 0 },
  more: Pick<Options, "fetch"> = {}
) {
  const { audit, ...heard } = remembering()
  const broker = yield* make({ flows, config, audit, ...more })
  const origin = yield* listen(broker.listener, where)
  const variables = Object.fromEntries(
    Object.entries(broker.variables(origin)).map(([name, value]) => [name, Redacted.value(value)])
  )
  return {
    ...heard,
    broker,
    origin,
    variables,
    ask: (path: string, sent?: Sent) => ask(origin, path, sent)
  }
})

/**
 * A broker that is asked without a connection, so that a test clock's time is the only one there is. Who is interrupted
 * has left.
 */
export const hearing = Effect.fnUntraced(function* (
  flows: ReadonlyArray<ServedFlow>,
  config: BrokerConfig = {}
) {
  const { audit, ...heard } = remembering()
  const broker = yield* make({ flows, config: { ...config, hosts: ["broker"] }, audit })
  const asking = (path: string, { body = "", headers = {}, method = "GET" }: Sent = {}) =>
    Effect.callback<Got>((resume) => {
      const socket = new Socket()
      Object.defineProperties(socket, { localPort: { value: 1 }, localAddress: { value: "::1" } })
      const request = new IncomingMessage(socket)
      Object.assign(request, {
        url: path,
        method,
        rawHeaders: ["Host", "broker", ...Object.entries(headers).flat()]
      })
      request.push(body)
      request.push(null)
      const response = new ServerResponse(request)
      const told: IncomingHttpHeaders = {}
      let status = 0
      Object.assign(response, {
        writeHead: (code: number, lines: ReadonlyArray<string>) => {
          status = code
          for (let at = 0; at < lines.length; at += 2)
            told[lines[at]!.toLowerCase()] = lines[at + 1]
        },
        end: (text: string) => {
          const json = () => JSON.parse(text) as Record<string, unknown>
          // Not before the listener has come to its end.
          queueMicrotask(() => resume(Effect.succeed({ status, headers: told, text, json })))
        }
      })
      broker.listener(request, response)
      return Effect.sync(() => {
        socket.destroy()
        response.emit("close")
      })
    })
  return { ...heard, broker, ask: asking }
})
