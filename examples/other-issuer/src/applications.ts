/** Lists the tenant's applications through Microsoft Graph, wherever a platform leaves a token in a file. */
import { file } from "@federate/ambient"
import { Flow } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { exchanger } from "@federate/entra"
import { Effect, Redacted, Scope } from "effect"

const {
  AZURE_FEDERATED_TOKEN_FILE = "",
  AZURE_TENANT_ID = "",
  AZURE_CLIENT_ID = "",
  AZURE_AUTHORITY_HOST = "https://login.microsoftonline.com",
  GRAPH_BASE_URL = "https://graph.microsoft.com"
} = process.env

const makeFlow = Effect.gen(function* () {
  return yield* Flow.make({
    source: yield* file({ path: AZURE_FEDERATED_TOKEN_FILE }),
    exchanger: yield* exchanger({
      tenantId: AZURE_TENANT_ID,
      clientId: AZURE_CLIENT_ID,
      authorityHost: AZURE_AUTHORITY_HOST,
      scopes: ["https://graph.microsoft.com/.default"]
    })
  })
})

// Once, in a scope that nobody closes: the token that it remembers lives as long as the process.
const flow = await Effect.runPromise(Scope.provide(makeFlow, Scope.makeUnsafe()))

export const listApplications = async () => {
  const credential = await Effect.runPromise(flow.credential())
  let response = await list(credential)
  if (response.status === 401) {
    // Refused before its time, revoked perhaps: one fresh token, one more try.
    response = await list(await Effect.runPromise(flow.credential({ rejected: credential })))
  }
  if (!response.ok) throw new Error(`Microsoft Graph answered ${response.status}`)
  // Graph documents this much of its answer.
  return ((await response.json()) as Applications).value
}

interface Applications {
  readonly value: ReadonlyArray<{ readonly appId: string; readonly displayName: string }>
}

/** The first page of them. */
const list = ({ token, tokenType }: AccessToken) =>
  fetch(`${GRAPH_BASE_URL}/v1.0/applications?$select=appId,displayName`, {
    headers: { authorization: `${tokenType} ${Redacted.value(token)}` },
    signal: AbortSignal.timeout(10_000)
  })
