/** Asks Google about the project that a pod works for, with the pod's Kubernetes service account token. */
import { kubernetes } from "@federate/ambient"
import { Flow } from "@federate/core"
import type { AccessToken } from "@federate/core"
import { exchanger } from "@federate/google"
import { Effect, Redacted, Scope } from "effect"

const {
  GOOGLE_PROJECT = "",
  GOOGLE_PROVIDER = "",
  // These three are for where no cluster and no Google is.
  TOKEN_FILE,
  GOOGLE_STS_ENDPOINT,
  GOOGLE_RESOURCE_MANAGER = "https://cloudresourcemanager.googleapis.com"
} = process.env

const makeFlow = Effect.gen(function* () {
  return yield* Flow.make({
    source: yield* kubernetes({ tokenFile: TOKEN_FILE }),
    exchanger: yield* exchanger({ audience: GOOGLE_PROVIDER, stsEndpoint: GOOGLE_STS_ENDPOINT })
  })
})

// Once, in a scope that nobody closes: the token that it remembers lives as long as the process.
const flow = await Effect.runPromise(Scope.provide(makeFlow, Scope.makeUnsafe()))

export interface Project {
  readonly projectId: string
  readonly projectNumber: string
}

export const readProject = async (): Promise<Project> => {
  const credential = await Effect.runPromise(flow.credential())
  let response = await ask(credential)
  if (response.status === 401) {
    // Refused before its time, revoked perhaps: one fresh token, one more try.
    response = await ask(await Effect.runPromise(flow.credential({ rejected: credential })))
  }
  if (!response.ok) throw new Error(`Google answered ${response.status}`)
  // Google documents this much of its answer.
  return (await response.json()) as Project
}

const ask = ({ token, tokenType }: AccessToken) =>
  fetch(`${GOOGLE_RESOURCE_MANAGER}/v1/projects/${GOOGLE_PROJECT}`, {
    headers: { authorization: `${tokenType} ${Redacted.value(token)}` },
    signal: AbortSignal.timeout(10_000)
  })
