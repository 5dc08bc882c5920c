/** Where an authorization server takes requests for tokens: told by the settings, or by its discovery document. */
import { Malformed } from "@federate/core"
import type { Misconfigured, Reason } from "@federate/core"
import { endpoint } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ClientAuthentication } from "./client.ts"
import { discover } from "./discovery.ts"
import { checkedIssuer, misconfigured } from "./settings.ts"

export interface Server {
  /** To the letter: an https URL, or http on loopback. */
  readonly issuer?: string | undefined
  /** Default: what the issuer's discovery document says, fetched each time. */
  readonly tokenEndpoint?: string | undefined
}

/** Where a request goes. */
export interface Place {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string
}

/** Holds the settings against each other, before any call. */
export const checkedServer = ({
  issuer,
  tokenEndpoint
}: Server): Result.Result<Server, Misconfigured> =>
  Result.gen(function* () {
    if (issuer === undefined && tokenEndpoint === undefined) {
      return yield* misconfigured(
        "tokenEndpoint",
        "is absent",
        "Write the token endpoint's URL, or the `issuer` whose discovery document tells it."
      )
    }
    if (issuer !== undefined) yield* checkedIssuer(issuer)
    if (tokenEndpoint !== undefined) yield* endpoint("tokenEndpoint", tokenEndpoint)
    return { issuer, tokenEndpoint }
  })

export const place = Effect.fnUntraced(function* (
  { issuer, tokenEndpoint }: Server,
  { method }: ClientAuthentication,
  fetch: Fetch | undefined
): Effect.fn.Return<Place, Reason> {
  if (tokenEndpoint !== undefined) return { issuer, tokenEndpoint }
  // One of the two is set.
  const found = yield* Effect.mapError(
    discover({ issuer: issuer!, ...(fetch !== undefined && { fetch }) }),
    ({ reason }) => reason
  )
  const discovered =
    (method === "tls_client_auth" ? found.certifiedTokenEndpoint : undefined) ?? found.tokenEndpoint
  if (discovered !== undefined) return { issuer, tokenEndpoint: discovered }
  return yield* Effect.fail(
    new Malformed({ detail: `The discovery document of "${issuer}" has no token_endpoint` })
  )
})
