import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { nodeFetch, send } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { vi } from "vitest"

/** A server on a unix socket, and one on loopback, with the same answers; how many of their connections are open. */
const serving = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = await mkdtemp(join(tmpdir(), "federate-"))
      const socketPath = join(directory, "api")
      const servers = [createServer(listener), createServer(listener)] as const
      let open = 0
      for (const server of servers) {
        server.on("connection", (socket) => {
          open++
          socket.on("close", () => open--)
        })
      }
      servers[0].listen(socketPath)
      servers[1].listen(0, "127.0.0.1")
      await Promise.all(servers.map((server) => once(server, "listening")))
      // It listens on an address, not on a path.
      const { port } = servers[1].address() as AddressInfo
      const close = async () => {
        for (const server of servers) {
          server.closeAllConnections()
          server.close()
        }
        await rm(directory, { recursive: true })
      }
      return { socketPath, url: `http://127.0.0.1:${port}`, open: () => open, close }
    }),
    ({ close }) => Effect.promise(close)
  )

describe("a fetch over Node's client", () => {
  it.live("asks over a unix socket, whatever the host, with method, headers and body", () =>
    Effect.gen(function* () {
      const { socketPath } = yield* serving(async (request, response) => {
        const chunks: Array<Buffer> = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        const { host, "content-length": length, "x-own": own } = request.headers
        response.writeHead(201, { "x-many": ["a", "b"] })
        response.end(
          JSON.stringify([
            request.method,
            request.url,
            host,
            length,
            own,
            `${Buffer.concat(chunks)}`
          ])
        )
      })
      const answer = yield* send(
        {
          url: "http://anything.example/v1/tokens?x=1",
          method: "POST",
          headers: { "x-own": "own" },
          body: "größer"
        },
        { fetch: nodeFetch({ socketPath }) }
      )
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(answer.headers.get("x-many"), "a, b")
      assert.deepStrictEqual(JSON.parse(Buffer.from(answer.body).toString()), [
        "POST",
        "/v1/tokens?x=1",
        "anything.example",
        "8",
        "own",
        "größer"
      ])
    })
  )

  it.live("follows no redirect, and takes an answer without a body", () =>
    Effect.gen(function* () {
      const { url } = yield* serving((request, response) => {
        response.writeHead(request.url === "/empty" ? 204 : 302, { location: "/empty" }).end()
      })
      const fetch = nodeFetch({})
      const redirect = yield* send({ url }, { fetch })
      assert.strictEqual(redirect.status, 302)
      const empty = yield* send({ url: `${url}/empty` }, { fetch })
      assert.strictEqual(empty.status, 204)
      assert.strictEqual(empty.body.length, 0)
    })
  )

  it.live("tells by its code why nobody answers", () =>
    Effect.gen(function* () {
      const fetch = nodeFetch({ socketPath: "/nowhere/api" })
      const reason = yield* Effect.flip(send({ url: "http://localhost/" }, { fetch }))
      assert.deepInclude(reason, { _tag: "Transient", detail: "No answer from localhost (ENOENT)" })
    })
  )

  it.live("is Transient when the answer is cut, or is no HTTP", () =>
    Effect.gen(function* () {
      const { url } = yield* serving((request, response) => {
        if (request.url === "/wrong") return void request.socket.end("nothing of the kind\r\n\r\n")
        response.writeHead(200, { "content-length": 100 }).write("half", () => response.destroy())
      })
      for (const path of ["", "/wrong"]) {
        const reason = yield* Effect.flip(send({ url: url + path }, { fetch: nodeFetch({}) }))
        assert.strictEqual(reason._tag, "Transient")
      }
    })
  )

  it.live("lets go of its connection when it is interrupted, before an answer and within one", () =>
    Effect.gen(function* () {
      let asked = 0
      const { open, socketPath } = yield* serving((request, response) => {
        asked++
        if (request.url === "/begun") response.writeHead(200).write("{")
      })
      for (const path of ["silent", "begun"]) {
        const before = asked
        const fiber = yield* Effect.forkChild(
          send({ url: `http://localhost/${path}` }, { fetch: nodeFetch({ socketPath }) })
        )
        yield* Effect.promise(() => vi.waitUntil(() => asked > before))
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => vi.waitUntil(() => open() === 0))
      }
    })
  )
})
