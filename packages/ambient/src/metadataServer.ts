/** A cloud's metadata server: every machine of that cloud has one at the same address, and no other machine has. */
import type { Misconfigured, Reason, Unavailable } from "@federate/core"
import { endpoint, isLinkLocal, overloaded, send } from "@federate/http"
import type { Fetch, HttpAnswer, HttpRequest } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

export interface MetadataServer {
  /** Whether somebody said where it is. Otherwise it is looked for. */
  readonly known: boolean
  /** A request that it answers at once, without doing anything for it. */
  readonly probe: HttpRequest
  /** Whether that answer is this cloud's. */
  readonly recognise: (answer: HttpAnswer) => boolean
  readonly absent: Unavailable
  readonly fetch: Fetch | undefined
}

/**
 * Asks it, and says quickly that it is not here: within a second, where nothing answers at its address. From its first
 * answer on it *is* here, and none of its faults is an absence: else who comes next in a list of sources would make
 * this workload somebody else.
 */
export const metadataServer = ({ absent, fetch, known, probe, recognise }: MetadataServer) => {
  let here = known
  return Effect.fnUntraced(function* (request: HttpRequest): Effect.fn.Return<HttpAnswer, Reason> {
    if (!here) {
      const answer = yield* Effect.mapError(send(probe, { fetch, timeout: "1 second" }), (reason) =>
        reason._tag === "Transient" ? absent : reason
      )
      if (!recognise(answer)) return yield* Effect.fail(overloaded(answer) ?? absent)
      here = true
    }
    return yield* send(request, { fetch })
  })
}

/** Where a server of the platform may be asked: over https, or over http on this machine or on its own link. */
export const addressOf = (setting: string, value: string): Result.Result<URL, Misconfigured> => {
  const written = value.includes("://") ? value : `http://${value}`
  const url = URL.parse(written)
  const isNear = url !== null && url.protocol === "http:" && isLinkLocal(url.hostname)
  return isNear ? Result.succeed(url) : endpoint(setting, written)
}
