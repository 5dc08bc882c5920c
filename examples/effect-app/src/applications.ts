/** Lists the tenant's applications through Microsoft Graph. */
import type { TokenRequest } from "@federate/core"
import { Config, Effect, Schema } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { GraphFlow } from "./GraphFlow.ts"

const Applications = Schema.Struct({
  value: Schema.Array(Schema.Struct({ appId: Schema.String, displayName: Schema.String }))
})

const graphBaseUrl = Config.String("GRAPH_BASE_URL").pipe(
  Config.withDefault("https://graph.microsoft.com")
)

/** The first page of them. */
const list = Effect.gen(function* () {
  const flow = yield* GraphFlow
  const client = yield* HttpClient.HttpClient
  const url = `${yield* graphBaseUrl}/v1.0/applications?$select=appId,displayName`

  const ask = Effect.fnUntraced(function* (request?: TokenRequest.TokenRequest) {
    const credential = yield* flow.credential(request)
    const response = yield* HttpClientRequest.get(url).pipe(
      HttpClientRequest.bearerToken(credential.token),
      client.execute
    )
    return { credential, response }
  })

  const first = yield* ask()
  // Refused before its time, revoked perhaps: one fresh token, one more try.
  const { response } =
    first.response.status === 401 ? yield* ask({ rejected: first.credential }) : first
  const ok = yield* HttpClientResponse.filterStatusOk(response)
  return (yield* HttpClientResponse.schemaBodyJson(Applications)(ok)).value
})

/** What this program is for. Where the trust is broken it goes on without the list: only a person can cure that. */
export const listApplications = list.pipe(
  Effect.tap((applications) =>
    Effect.annotateLogs(Effect.logInfo("Listed the tenant's applications"), { applications })
  ),
  Effect.catchReason("FederationError", "Rejected", ({ code, hint, reference }) =>
    Effect.logError("There is no token for Microsoft Graph").pipe(
      Effect.annotateLogs({ code, hint, reference }),
      Effect.as([])
    )
  )
)
