/** The SPIFFE Workload API as an assertion source: JWT-SVIDs of the agent on this machine, such as SPIRE's. */
import { isIP } from "node:net"
import type { NetConnectOpts } from "node:net"
import {
  Assertion,
  AssertionSource,
  configured,
  Malformed,
  Misconfigured,
  Rejected,
  Transient,
  Unavailable
} from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import { isLoopback, platformEnvironment } from "@federate/http"
import type { Environment } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { audienceFor } from "./audience.ts"
import { unary } from "./grpc.ts"
import type { Broken, GrpcAnswer } from "./grpc.ts"
import { decode, encode } from "./protobuf.ts"

export interface SpiffeOptions {
  /** `unix:///PATH`, or `tcp://IP:PORT` on loopback. Default: `SPIFFE_ENDPOINT_SOCKET`. */
  readonly socket?: string | undefined
  /** Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers. */
  readonly audience?: string | undefined
  /** Which identity, `spiffe://DOMAIN/PATH`, where the workload has several. Default: the agent's first. */
  readonly spiffeId?: string | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "spiffe"

/**
 * `FetchJWTSVID` (https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_API.md). The agent tells the
 * workload by the process that asks: there is no secret to configure. Its tokens name an issuer only where the SPIFFE
 * server was given one. Without an address, or a socket there, it is `Unavailable`.
 */
export const spiffe = Effect.fnUntraced(function* ({
  audience,
  environment = platformEnvironment,
  socket,
  spiffeId
}: SpiffeOptions = {}): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const setting = socket === undefined ? variable : "socket"
  const url = socket ?? environment(variable)
  const address = yield* configured(
    name,
    Result.gen(function* () {
      yield* checkedId(spiffeId)
      return url === undefined ? undefined : yield* addressOf(setting, url)
    })
  )
  return AssertionSource.make({
    name,
    offers: { audience: "any" },
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      if (address === undefined) return yield* Effect.fail(unset)
      const wanted = yield* Effect.fromResult(audienceFor(request, audience))
      const obtainedAt = yield* Clock.currentTimeMillis
      const answer = yield* unary({
        address,
        path: "/SpiffeWorkloadAPI/FetchJWTSVID",
        metadata: { "workload.spiffe.io": "true" },
        message: encode([[1, wanted], ...(spiffeId === undefined ? [] : [[2, spiffeId] as const])])
      }).pipe(
        Effect.mapError((reason) => (reason._tag === "Broken" ? broken(reason, url) : reason)),
        Effect.timeoutOrElse({
          duration: "10 seconds",
          orElse: () =>
            Effect.fail(new Transient({ detail: "The SPIFFE agent did not answer in time" }))
        })
      )
      const token = yield* Effect.fromResult(read(answer))
      // By our clock, which is the agent's too. It keeps its tokens: one may have been signed a while ago.
      return yield* Effect.fromResult(Assertion.fromJwt(token, { obtainedAt }))
    })
  })
})

const variable = "SPIFFE_ENDPOINT_SOCKET"

const unset = new Unavailable({
  detail: `${variable} is not set`,
  hint: `Run where a SPIFFE agent is, and say where it listens: ${variable}=unix:///PATH.`
})

const checkedId = (spiffeId: string | undefined) =>
  spiffeId === undefined || /^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(spiffeId)
    ? Result.void
    : Result.fail(
        new Misconfigured({
          setting: "spiffeId",
          problem: "is no SPIFFE ID",
          hint: "Write it as the agent knows it: spiffe://DOMAIN/PATH, the domain in lower case, without a slash at the end."
        })
      )

/** https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_Endpoint.md#4-locating-the-endpoint */
const addressOf = (
  setting: string,
  value: string
): Result.Result<NetConnectOpts, Misconfigured> => {
  const path = /^unix:(?:\/\/)?(\/(?!\/)[^?#]+)$/.exec(value)?.[1]
  if (path !== undefined) return Result.succeed({ path })
  const { hostname = "", port = "", protocol } = URL.parse(value) ?? {}
  const host = hostname.replace(/^\[|\]$/g, "")
  const wrong = (problem: string) =>
    Result.fail(
      new Misconfigured({
        setting,
        problem,
        hint: "Write unix:///PATH, or tcp://IP:PORT where that is this machine's own."
      })
    )
  if (protocol !== "tcp:" || isIP(host) === 0 || port === "") return wrong("is no such address")
  return isLoopback(hostname)
    ? Result.succeed({ host, port: Number(port) })
    : wrong(`is ${host}, another machine, and what it answers could be read on the way`)
}

const broken = ({ code }: Broken, address: string | undefined): Reason => {
  const detail = `There is no SPIFFE agent at ${address}`
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new Unavailable({
        detail,
        hint: `Mount the agent's socket where ${variable} says that it is, or start the agent.`
      })
    case "EACCES":
    case "EPERM":
      return new Misconfigured({
        setting: variable,
        problem: `this process may not open ${address} (${code})`,
        hint: "Let its user into the directory and to the socket; the agent itself tells workloads apart."
      })
    default:
      return new Transient({
        detail: code === undefined ? "The SPIFFE agent broke the call off" : `${detail} (${code})`
      })
  }
}

/** The first identity is the one to take where none is named. */
const read = ({
  description,
  message,
  status
}: GrpcAnswer): Result.Result<Redacted.Redacted, Reason> => {
  if (message === undefined) return Result.fail(refusal(status, description))
  const [first] = decode(message, 1) ?? []
  const [token] = (first && decode(first, 2)) ?? []
  return token === undefined
    ? Result.fail(new Malformed({ detail: "The SPIFFE agent's answer holds no JWT-SVID" }))
    : Result.succeed(Redacted.make(Buffer.from(token).toString("latin1")))
}

/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md: those that mean a refusal. What is not here may pass by itself. */
const refusals: Readonly<Record<number, Pick<Rejected, "code" | "hint" | "remedy">>> = {
  3: {
    code: "InvalidArgument",
    hint: "Compare `audience` and `spiffeId` with what the agent takes.",
    remedy: "none"
  },
  7: {
    code: "PermissionDenied",
    hint: "No registration entry is for this process: compare its user, its pod's namespace and service account with the selectors that `spire-server entry show` lists, and `spiffeId` with the entry's. A new entry takes some seconds to reach the agent.",
    remedy: "waitForTrust"
  },
  12: {
    code: "Unimplemented",
    hint: "What listens there speaks no SPIFFE Workload API, or has its JWT profile turned off: compare the socket's path with the agent's `socket_path`.",
    remedy: "none"
  },
  16: {
    code: "Unauthenticated",
    hint: "The agent could not tell who asks: see its log.",
    remedy: "none"
  }
}

const refusal = (status: number, description: string): Reason => {
  const refused = refusals[status]
  return refused === undefined
    ? new Transient({
        detail: `The SPIFFE agent failed with gRPC status ${status}: ${description}`
      })
    : new Rejected({ ...refused, description: description || "The SPIFFE agent gave no reason" })
}
