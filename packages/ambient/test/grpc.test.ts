import { once } from "node:events"
import { createServer } from "node:http2"
import type { ServerHttp2Stream } from "node:http2"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { unary } from "../src/grpc.ts"
import type { GrpcAnswer } from "../src/grpc.ts"

/** What a call comes to when it is answered in this way. */
const answered = (answer: (stream: ServerHttp2Stream) => void) =>
  Effect.gen(function* () {
    const server = createServer()
    server.on("stream", (stream) => {
      // Some answers break it.
      stream.on("error", () => {})
      answer(stream)
    })
    server.listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    // It listens on an address, not on a path.
    const { port } = server.address() as AddressInfo
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    return yield* Effect.result(
      unary({
        address: { host: "127.0.0.1", port },
        path: "/Service/Method",
        metadata: { own: "true" },
        message: Buffer.from("asked")
      })
    )
  })

const responding = (
  { content = "application/grpc", status = 200 },
  trailers: Readonly<Record<string, string>>,
  body: Buffer | string
) =>
  answered((stream) => {
    stream.respond({ ":status": status, "content-type": content }, { waitForTrailers: true })
    stream.on("wantTrailers", () => stream.sendTrailers(trailers))
    stream.end(body)
  })

const framed = (text: string) => {
  const length = Buffer.alloc(5)
  length.writeUInt32BE(text.length, 1)
  return Buffer.concat([length, Buffer.from(text)])
}

const well = { "grpc-status": "0" }

describe("a unary call", () => {
  it.live("sends one message, and brings one", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const result = yield* answered((stream) => {
        stream.on("data", (chunk: Buffer) => seen.push(chunk))
        stream.on("end", () => {
          stream.respond(
            { ":status": 200, "content-type": "application/grpc+proto" },
            { waitForTrailers: true }
          )
          stream.on("wantTrailers", () => stream.sendTrailers(well))
          stream.end(framed("told"))
        })
      })
      assert.deepStrictEqual(seen, [framed("asked")])
      const { message, status } = Result.getOrThrow<GrpcAnswer, unknown>(result)
      assert.strictEqual(status, 0)
      assert.strictEqual(Buffer.from(message!).toString(), "told")
    })
  )

  it.live("brings a status and its words, whether in headers or in trailers", () =>
    Effect.gen(function* () {
      const refusal = { "grpc-status": "7", "grpc-message": "no%20identity%0Aissued" }
      const results = [
        yield* responding({}, refusal, ""),
        yield* answered((stream) =>
          stream.respond({ "content-type": "application/grpc", ...refusal }, { endStream: true })
        ),
        yield* responding({}, { "grpc-status": "7", "grpc-message": "100%" }, "")
      ]
      assert.deepStrictEqual(results.map(Result.getOrThrow<GrpcAnswer, unknown>), [
        { status: 7, description: "no identity issued" },
        { status: 7, description: "no identity issued" },
        { status: 7, description: "100%" }
      ])
    })
  )

  it.live("is Malformed when the answer is not gRPC's", () =>
    Effect.gen(function* () {
      const compressed = framed("told")
      compressed[0] = 1
      for (const [answer, problem] of [
        [responding({ status: 404 }, {}, ""), "is HTTP 404"],
        [responding({ content: "text/html" }, well, "<p>"), "is HTTP 200, and not gRPC's"],
        [responding({}, {}, framed("told")), "has no status"],
        [responding({}, { "grpc-status": "ok" }, framed("told")), "has no status"],
        [responding({}, well, ""), "is not one whole message"],
        [responding({}, well, compressed), "is not one whole message"],
        [responding({}, well, framed("told").subarray(0, 7)), "is not one whole message"],
        [responding({}, well, Buffer.concat([framed("a"), framed("b")])), "is not one"],
        [responding({}, well, Buffer.alloc(2 * 1024 * 1024)), "is more than"]
      ] as const) {
        const result = yield* answer
        const reason = Result.isFailure(result) ? result.failure : undefined
        assert.strictEqual(reason?._tag, "Malformed")
        assert.include(JSON.stringify(reason), problem)
      }
    })
  )

  it.live("breaks where the connection does", () =>
    Effect.gen(function* () {
      for (const breaking of [
        (stream: ServerHttp2Stream) => stream.session?.destroy(),
        (stream: ServerHttp2Stream) => stream.close(2),
        (stream: ServerHttp2Stream) => {
          stream.respond({ "content-type": "application/grpc" })
          stream.write(framed("told").subarray(0, 6), () => stream.session?.destroy())
        }
      ]) {
        const result = yield* answered(breaking)
        assert.propertyVal(Result.isFailure(result) && result.failure, "_tag", "Broken")
      }
    })
  )
})
