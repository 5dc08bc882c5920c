/** A SPIFFE agent on a unix socket or on loopback, made of gRPC's own library and the standard's own definition. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { loadPackageDefinition, Server, ServerCredentials, status } from "@grpc/grpc-js"
import type { sendUnaryData, ServerUnaryCall, ServiceClientConstructor } from "@grpc/grpc-js"
import { load } from "@grpc/proto-loader"
import { Effect } from "effect"

/** As proto-loader names the fields. */
export interface Request {
  readonly audience: ReadonlyArray<string>
  readonly spiffeId: string
}

interface Svid {
  readonly spiffeId: string
  readonly svid: string
  readonly hint?: string
}

/** What the agent answers, or the gRPC status that it fails with; nothing at all, when it hangs. */
export type Answer =
  | { readonly svids: ReadonlyArray<Svid> }
  | { readonly code: status; readonly details: string }
  | "never"

/** Runs an agent until the scope closes. */
export const agent = (answer: (request: Request) => Answer, address?: string) =>
  Effect.acquireRelease(
    Effect.promise(() => start(answer, address)),
    ({ stop }) => Effect.promise(stop)
  )

const start = async (answer: (request: Request) => Answer, tcp: string | undefined) => {
  const definition = await load(fileURLToPath(new URL("workload.proto", import.meta.url)), {
    defaults: true
  })
  // The definition's one service; the library types what it has loaded as anything that can be in one.
  const { service } = loadPackageDefinition(definition)[
    "SpiffeWorkloadAPI"
  ] as ServiceClientConstructor
  let open = 0
  const server = new Server()
  server.addService(service, {
    FetchJWTSVID: (call: ServerUnaryCall<Request, unknown>, respond: sendUnaryData<unknown>) => {
      open++
      call.on("cancelled", () => open--)
      // The standard's guard against requests that somebody else makes the workload send.
      if (call.metadata.get("workload.spiffe.io")[0] !== "true") {
        return respond({ code: status.INVALID_ARGUMENT, details: "security header missing" })
      }
      const answered = answer(call.request)
      if (answered === "never") return
      open--
      return "code" in answered ? respond(answered) : respond(null, answered)
    }
  })
  const directory = await mkdtemp(join(tmpdir(), "federate-"))
  const socket = `unix:${join(directory, "agent.sock")}`
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(tcp ?? socket, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error)
    )
  )
  return {
    socket: tcp === undefined ? socket.replace("unix:", "unix://") : `tcp://127.0.0.1:${port}`,
    /** How many calls are waited for. */
    open: () => open,
    stop: async () => {
      server.forceShutdown()
      await rm(directory, { recursive: true })
    }
  }
}
