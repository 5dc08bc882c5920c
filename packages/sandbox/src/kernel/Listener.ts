/** Two sockets on loopback, http and https, and nothing beyond loopback. */
import { createServer as createHttpServer } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import type { IncomingMessage, RequestListener, Server } from "node:http"
import { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import * as Effect from "effect/Effect"
import { SandboxError } from "../SandboxError.ts"
import type { Certificates } from "./Certificates.ts"

export interface Options {
  readonly host: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly certificates: Certificates
}

export interface Listener {
  /** The port that was got. */
  readonly httpPort: number
  readonly httpsPort: number
  /** Who answers from now on, on both. */
  readonly onRequest: (listener: RequestListener) => void
  /** Cuts a request's connection, so that its client sees a reset (RST). */
  readonly reset: (incoming: IncomingMessage) => void
}

/** Where the name in the URLs, `localhost`, leads to; the certificate is for these too. */
const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"])

/** A sandbox hands out tokens to anyone who asks. */
export const checkLoopback = (host: string): Effect.Effect<void, SandboxError> =>
  loopback.has(host)
    ? Effect.void
    : new SandboxError({
        message: `A sandbox listens on ${[...loopback].join(", ")} and nowhere else, not on "${host}"`
      })

/** Opens both; they close with the scope, along with every connection. */
export const make = Effect.fnUntraced(function* (options: Options) {
  yield* checkLoopback(options.host)
  const { certificate, key } = options.certificates
  const http = createHttpServer()
  const https = createHttpsServer({ cert: certificate, key })
  // Only the bare TCP socket can be reset, and a TLS socket does not tell which one is under it.
  const bare = new Map<number | undefined, Socket>()
  https.on("connection", (socket) => {
    if (!(socket instanceof Socket)) return
    const { remotePort } = socket
    bare.set(remotePort, socket)
    socket.once("close", () => bare.delete(remotePort))
  })
  const httpPort = yield* open(http, options.host, options.httpPort)
  const httpsPort = yield* open(https, options.host, options.httpsPort)
  const listener: Listener = {
    httpPort,
    httpsPort,
    onRequest: (answer) => {
      http.on("request", answer)
      https.on("request", answer)
    },
    reset: ({ socket }) => {
      const tcp = socket instanceof TLSSocket ? bare.get(socket.remotePort) : socket
      tcp?.resetAndDestroy()
    }
  }
  return listener
})

const open = (server: Server, host: string, port: number) =>
  Effect.acquireRelease(listen(server, host, port), () => close(server))

const listen = (server: Server, host: string, port: number) =>
  Effect.callback<number, SandboxError>((resume) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      resume(
        new SandboxError({
          message: `Cannot listen on ${host}, port ${port}: ${error.code === "EADDRINUSE" ? "it is taken" : error.code}`
        })
      )
    )
    server.listen(port, host, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const close = (server: Server) =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
