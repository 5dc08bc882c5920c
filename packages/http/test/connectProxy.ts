/** An HTTP proxy on loopback that takes CONNECT alone, and leads every host to one place on this machine. */
import { once } from "node:events"
import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { connect } from "node:net"
import type { AddressInfo, Socket } from "node:net"

export interface ConnectProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** What each request asked for: the authority, and its `Proxy-Authorization`. */
  readonly asked: ReadonlyArray<readonly [to: string, authorization: string | undefined]>
  /** What the next requests are answered with, in place of a tunnel. */
  refusal: number | "hang" | "cut" | undefined
  readonly open: () => number
  readonly close: () => void
}

/**
 * @param port where every host leads to, on 127.0.0.1
 * @param tls what it is itself reached by, where not plainly
 */
export const connectProxy = async (
  port: number,
  tls?: { readonly cert: string; readonly key: string }
): Promise<ConnectProxy> => {
  const sockets = new Set<Socket>()
  const asked: Array<readonly [string, string | undefined]> = []
  const server = tls === undefined ? createServer() : createSecureServer(tls)
  server.on("request", (_request, response) => response.writeHead(405).end())
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  server.on("connect", ({ headers, url }, socket) => {
    asked.push([url ?? "", headers["proxy-authorization"]])
    socket.on("error", () => {})
    const { refusal } = proxy
    if (refusal === "hang") return socket.resume().on("end", () => socket.destroy())
    if (refusal === "cut") return socket.destroy()
    if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal} No\r\n\r\n`)
    const there = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
      there.pipe(socket)
      socket.pipe(there)
    })
    there.on("error", () => socket.destroy())
    there.on("close", () => socket.destroy())
    socket.on("close", () => there.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  // It listens on an address, not on a path.
  const { port: own } = server.address() as AddressInfo
  const proxy: ConnectProxy = {
    host: `127.0.0.1:${own}`,
    asked,
    refusal: undefined,
    open: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  }
  return proxy
}
