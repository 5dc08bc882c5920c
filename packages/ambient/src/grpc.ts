/** One unary gRPC call over HTTP/2 without TLS (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
import type { ClientHttp2Session, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2"
import { connect } from "node:net"
import type { NetConnectOpts } from "node:net"
import { Malformed } from "@federate/core"
import { maximumSize, publicText } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

export interface GrpcRequest {
  /** Where the server listens. */
  readonly address: NetConnectOpts
  /** `/SERVICE/METHOD` */
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
  readonly message: Uint8Array
}

/** What the call came to. Only status 0, which is well, has a message. */
export interface GrpcAnswer {
  readonly status: number
  /** The server's own words. */
  readonly description: string
  readonly message?: Uint8Array
}

/** There was no connection, or it broke: Node's code says why, where there is one. */
export interface Broken {
  readonly _tag: "Broken"
  readonly code?: string | undefined
}

/** Over a connection of its own, which is closed when the call has ended, or when nobody waits for it any more. */
export const unary = Effect.fnUntraced(function* (
  request: GrpcRequest
): Effect.fn.Return<GrpcAnswer, Broken | Malformed> {
  const http2 = yield* Effect.promise(() => import("node:http2"))
  const ended = yield* Effect.acquireUseRelease(
    Effect.sync(() => {
      const socket = connect(request.address)
      // The host stands in `:authority` alone.
      return {
        socket,
        session: http2.connect("http://localhost", { createConnection: () => socket })
      }
    }),
    ({ session, socket }) =>
      Effect.callback<Ended, Broken | Malformed>((resume) => {
        const broken = (error: NodeJS.ErrnoException) =>
          resume(Effect.fail({ _tag: "Broken", code: error.code }))
        // The socket first: it alone knows why there is no connection.
        for (const each of [socket, session]) each.on("error", broken)
        call(session, request, broken, (result) => resume(Effect.fromResult(result)))
      }),
    ({ session }) => Effect.sync(() => session.destroy())
  )
  return yield* Effect.fromResult(read(ended))
})

interface Ended {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
}

const call = (
  session: ClientHttp2Session,
  { message, metadata, path }: GrpcRequest,
  broken: (error: NodeJS.ErrnoException) => void,
  done: (result: Result.Result<Ended, Broken | Malformed>) => void
): void => {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...metadata
  })
  let headers: Ended["headers"] = {}
  let trailers: IncomingHttpHeaders = {}
  const chunks: Array<Buffer> = []
  let size = 0
  stream.on("response", (told) => (headers = told))
  stream.on("trailers", (told) => (trailers = told))
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > maximumSize) done(malformed(`is more than ${maximumSize} bytes`))
  })
  stream.on("error", broken)
  stream.on("close", () =>
    done(
      stream.rstCode === 0 && !stream.aborted
        ? Result.succeed({ headers, trailers, body: Buffer.concat(chunks) })
        : Result.fail({ _tag: "Broken" })
    )
  )
  stream.end(framed(message))
}

const malformed = (problem: string) =>
  Result.fail(new Malformed({ detail: `The gRPC answer ${problem}` }))

/** A flag (0: not compressed) and the length go before the message. */
const prefix = 5

const framed = (message: Uint8Array): Buffer => {
  const frame = Buffer.alloc(prefix + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, prefix)
  return frame
}

const read = ({ body, headers, trailers }: Ended): Result.Result<GrpcAnswer, Malformed> => {
  const status = headers[":status"]
  if (status !== 200 || !/^application\/grpc\b/.test(headers["content-type"] ?? "")) {
    return malformed(`is HTTP ${status}, and not gRPC's`)
  }
  // An answer without a message may put all into its headers.
  const { "grpc-message": description, "grpc-status": code } = { ...headers, ...trailers }
  if (typeof code !== "string" || !/^\d{1,3}$/.test(code)) return malformed("has no status")
  const answer = {
    status: Number(code),
    description: publicText(decoded(typeof description === "string" ? description : ""))
  }
  if (answer.status !== 0) return Result.succeed(answer)
  if (body.length < prefix || body[0] !== 0 || body.readUInt32BE(1) !== body.length - prefix) {
    return malformed("is not one whole message")
  }
  return Result.succeed({ ...answer, message: body.subarray(prefix) })
}

/** Percent-encoded, where it was encoded well. */
const decoded = (text: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(text)),
    () => text
  )
