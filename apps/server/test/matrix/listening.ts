/** A server on this machine. */
import { once } from "node:events"
import { createServer } from "node:http"
import type { RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"

/** Listens until the scope closes; gives its origin. */
export const listening = (listener: RequestListener) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer(listener).listen(0, "127.0.0.1")
        await once(server, "listening")
        return server
      }),
      (server) => Effect.sync(() => void server.close().closeAllConnections())
    ),
    // It listens on a port, not on a path.
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )
