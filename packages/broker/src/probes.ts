/** What an orchestrator asks: alive, ready. */
import type { Credential, Flow, TokenRequest } from "@federate/core"
import * as Effect from "effect/Effect"
import { json, problem } from "./Answer.ts"
import type { Answer } from "./Answer.ts"
import { patience } from "./limits.ts"
import type { Route } from "./Route.ts"

/** A flow, with what it is tried with: what a client will ask. */
export interface Probed {
  readonly flow: Flow.Flow<Credential.Credential>
  readonly request: TokenRequest.TokenRequest
}

/** Whether a flow has produced a credential since it was made. */
const isReady = ({ flow }: Pick<Probed, "flow">): boolean => {
  for (const { succeeded } of flow.entries.values()) if (succeeded > 0) return true
  return false
}

/** Asks a flow for what its clients will ask; within the broker's patience, and whatever comes of it. */
export const prompt = ({ flow, request }: Probed): Effect.Effect<void> =>
  Effect.ignore(Effect.timeoutOption(flow.credential(request), patience))

const told = ({ flow }: Probed) => {
  const ready = isReady({ flow })
  const failed = ready ? undefined : [...flow.entries.values()].find(({ error }) => error)
  return { ready, ...(failed?.error !== undefined && { error: failed.error.message }) }
}

/** Ready when every flow has produced once; never without a flow. Who asks sets a flow that is not ready going. */
const readiness = (probed: ReadonlyArray<Probed>): Effect.Effect<Answer> =>
  Effect.forEach(
    probed.filter((each) => !isReady(each)),
    prompt,
    { concurrency: "unbounded", discard: true }
  ).pipe(
    Effect.map(() => {
      const ready = probed.length > 0 && probed.every(isReady)
      const flows = Object.fromEntries(probed.map((each) => [each.flow.name, told(each)]))
      return json(ready ? 200 : 503, { ready, flows }, ready ? [] : ["Retry-After", "1"])
    })
  )

const probe = (handle: Route["handle"]): Route => ({
  protocol: "probe",
  method: "GET",
  pages: true,
  refuse: problem,
  handle
})

export const routes = (probed: ReadonlyArray<Probed>): ReadonlyArray<readonly [string, Route]> => [
  ["/livez", probe(() => json(200, { alive: true }))],
  ["/readyz", probe(() => readiness(probed))],
  ...probed.map((each) => [`/readyz/${each.flow.name}`, probe(() => readiness([each]))] as const)
]
