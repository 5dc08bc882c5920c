/** An HTTP server for a broker's listener: on loopback or a unix socket, with every limit set. */
import { chmodSync, chownSync, lstatSync, unlinkSync } from "node:fs"
import type { Server } from "node:http"
import { connect, isIP } from "node:net"
import type { AddressInfo } from "node:net"
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { SocketConfig } from "./BrokerConfig.ts"
import * as limits from "./limits.ts"
import type { Listener } from "./Listener.ts"
import { misconfigured } from "./ServedFlow.ts"

// An import would look at all that `node:http` has, and so load fetch and WebSocket: 11 ms of every start.
const { createServer, STATUS_CODES } = process.getBuiltinModule("node:http")

/** Where to listen. */
export type Where =
  | {
      /** An address of loopback, or `localhost`. */
      readonly host: string
      /** 0 takes a free one. */
      readonly port: number
      /** Lets the host be any address: whoever reaches it reaches the protocols without a secret. Default: no. */
      readonly beyondLoopback?: boolean
    }
  | Pick<SocketConfig, "path" | "mode" | "owner" | "group">
  /** A socket that was opened by who started this process (systemd's socket activation). */
  | { readonly fd: number; readonly beyondLoopback?: boolean }

/**
 * Listens until the scope closes; then takes no new requests, finishes those in flight within 5 s, and closes. Gives the
 * origin (`http://127.0.0.1:8080`; of a unix socket `unix:PATH`). A place that cannot be had is `Misconfigured`.
 */
export const listen = (
  listener: Listener,
  where: Where
): Effect.Effect<string, FederationError, Scope.Scope> =>
  Effect.gen(function* () {
    if ("host" in where) yield* Effect.fromResult(checkLoopback(where.host, where))
    if ("path" in where) yield* makeRoom(where)
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => limited(listener)),
      close
    )
    yield* open(server, where)
    if ("path" in where) yield* permit(where)
    const address = server.address()
    // Whose socket it is decided where it is heard.
    if ("fd" in where && typeof address === "object" && address !== null) {
      yield* Effect.fromResult(checkLoopback(address.address, where))
    }
    return originOf(address)
  })

const checkLoopback = (
  host: string,
  { beyondLoopback = false }: { readonly beyondLoopback?: boolean }
): Result.Result<void, FederationError> =>
  beyondLoopback || isLoopback(host)
    ? Result.void
    : Result.fail(
        misconfigured(
          "listen",
          `${host} is not an address of loopback`,
          "Listen on 127.0.0.1 or ::1, or on a unix socket; others on the network would get tokens from it."
        )
      )

const isLoopback = (host: string): boolean =>
  host === "localhost" ||
  (isIP(host) === 4 && host.startsWith("127.")) ||
  (isIP(host) === 6 && new URL(`http://[${host}]`).hostname === "[::1]")

const limited = (listener: Listener): Server => {
  const server = createServer(
    {
      maxHeaderSize: limits.maximumHeaders,
      headersTimeout: limits.headersTimeout,
      requestTimeout: limits.requestTimeout,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: limits.keepAliveTimeout,
      // A second Host, or none, is refused by the listener, which says why.
      requireHostHeader: false
    },
    listener
  )
  server.maxConnections = limits.maximumConnections
  server.maxRequestsPerSocket = 0
  // Their size is limited. By default Node leaves out what comes after the thousandth: X-Forwarded-For, say.
  server.maxHeadersCount = 0
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy()
      return
    }
    const status =
      error.code === "HPE_HEADER_OVERFLOW"
        ? 431
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? 408
          : 400
    // Not half open: nobody would look after it any more.
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      () => socket.destroy()
    )
  })
  return server
}

const open = (server: Server, where: Where): Effect.Effect<void, FederationError> =>
  Effect.callback((resume) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      resume(Effect.fail(notHad(where, error)))
    }
    // Later, one that cannot be accepted is no reason to end.
    server.on("error", failed).once("listening", () => resume(Effect.void))
    // Nobody else may connect to a socket before its permissions are set.
    const mask = "path" in where ? process.umask(0o177) : undefined
    try {
      server.listen("path" in where ? where.path : where)
    } catch (error) {
      // Node throws nothing but its own errors here: of a port that is none.
      failed(error as NodeJS.ErrnoException)
    } finally {
      if (mask !== undefined) process.umask(mask)
    }
  })

type Socket = Extract<Where, { path: string }>

/** What the file system says no to is a setting's fault. */
const attempt = <A>(where: Socket, act: () => A): Effect.Effect<A, FederationError> =>
  Effect.try({
    try: act,
    // Node's file system throws nothing but its own errors.
    catch: (error) => notHad(where, error as NodeJS.ErrnoException)
  })

/** Takes away what a broker left that ended without a chance to clean up; a living one's is not touched. */
const makeRoom = Effect.fnUntraced(function* (where: Socket) {
  const { path } = where
  const there = yield* attempt(where, () => lstatSync(path, { throwIfNoEntry: false }))
  if (there === undefined) return
  if (!there.isSocket()) {
    return yield* misconfigured(
      "listen",
      `${path} is there already, and is no socket`,
      "Choose another path."
    )
  }
  // Whatever else comes of it (no permission, too many waiting) is somebody's life sign.
  if ((yield* knock(path)) !== "ECONNREFUSED") {
    return yield* misconfigured(
      "listen",
      `${path} is taken: somebody listens there`,
      "Choose another path."
    )
  }
  yield* attempt(where, () => unlinkSync(path))
})

/** The error's code when nobody opens. */
const knock = (path: string): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.undefined)
    })
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resume(Effect.succeed(code)))
  })

const permit = (where: Socket): Effect.Effect<void, FederationError> =>
  attempt(where, () => {
    const { group = -1, mode, owner = -1, path } = where
    chownSync(path, owner, group)
    if (mode !== undefined) chmodSync(path, Number.parseInt(mode, 8))
  })

const notHad = (where: Where, { code = "unknown" }: NodeJS.ErrnoException): FederationError => {
  const place =
    "path" in where
      ? where.path
      : "fd" in where
        ? `the file descriptor ${where.fd}`
        : `${where.host}:${where.port}`
  return misconfigured(
    "listen",
    code === "EADDRINUSE" ? `${place} is taken` : `${place} cannot be listened on: ${code}`,
    "host" in where
      ? "Stop what listens there, choose another port, or 0 for a free one."
      : "Look at the path, its folder, and who may write there."
  )
}

const originOf = (address: AddressInfo | string | null): string => {
  // Of a unix socket that somebody else has opened Node does not know the path.
  if (typeof address === "string" || address === null) return `unix:${address ?? ""}`
  const { address: host, family, port } = address
  return `http://${family === "IPv6" ? `[${host}]` : host}:${port}`
}

/** Stops taking connections, and waits for the requests in flight. */
const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (!server.listening) {
      resume(Effect.void)
      return
    }
    // A connection that was busy a moment ago is idle now, and would be kept alive.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    const end = setTimeout(() => server.closeAllConnections(), limits.closeTimeout)
    server.close(() => {
      clearInterval(sweep)
      clearTimeout(end)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })
