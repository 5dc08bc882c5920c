/** What the flows are doing: nothing of it is secret. */
import type { Credential, Flow } from "@federate/core"
import * as Schema from "effect/Schema"
import { failureOf } from "../failure.ts"
import { maximumTold } from "../limits.ts"
import type { ServedFlow } from "../ServedFlow.ts"
import { timestamp } from "../timestamp.ts"
import { Failure } from "./Failure.ts"
import { Timestamp } from "./Timestamp.ts"

/** The state of a flow is the first of its requests' here. */
const states = ["failing", "stale", "fetching", "fresh", "expired", "idle"] as const

const State = Schema.Literals(states).annotate({
  identifier: "State",
  description:
    "idle: nothing is known. fetching: the first credential is on its way. fresh: handed out at once. stale: handed out at once, and refreshed with the next request. expired: nobody has asked since its end. failing: nothing valid is in hand, and the last attempt failed. The state of a flow is that of its requests which comes first here: failing, stale, fetching, fresh, expired, idle"
})

const Seconds = Schema.Finite

const seconds = (description: string) => Schema.optionalKey(Seconds.annotate({ description }))

const count = (description: string) => Schema.Int.annotate({ description })

const Request = Schema.Struct({
  scopes: Schema.optionalKey(Schema.Array(Schema.String)),
  audience: Schema.optionalKey(Schema.String),
  claims: Schema.optionalKey(
    Schema.String.annotate({ description: "A claims challenge (OpenID Connect Core §5.5)" })
  ),
  state: State,
  obtainedAt: Schema.optionalKey(Timestamp),
  expiresAt: Schema.optionalKey(Timestamp),
  age: seconds("How old the credential is"),
  softPoint: seconds("The age from which it is refreshed in the background"),
  hardPoint: seconds("The age from which callers wait for the refresh"),
  life: seconds("The age at which it is over"),
  refreshIn: Seconds.annotate({
    description: "How long until a request starts a fetch; 0: the next one does"
  }),
  refreshing: Schema.Boolean.annotate({ description: "Whether one is being fetched" }),
  error: Schema.optionalKey(Failure),
  retryAt: Schema.optionalKey(
    Timestamp.annotate({ description: "When the other side is asked again at the earliest" })
  ),
  hits: count("How often it was handed out from memory while fresh"),
  succeeded: count("Fetches that brought a credential"),
  failed: count("Fetches that did not")
}).annotate({
  identifier: "Request",
  description:
    "What was asked of the flow (nothing: its own scopes or audience), and what is remembered"
})

const ToldFlow = Schema.Struct({
  name: Schema.String,
  issues: Schema.Literals(["AccessToken", "Assertion", "AwsCredentials"]).annotate({
    description: "What it hands out"
  }),
  cloud: Schema.optionalKey(
    Schema.Literals(["azure", "google", "aws"]).annotate({ description: "Whose SDKs it is for" })
  ),
  source: Schema.optionalKey(
    Schema.String.annotate({ description: "Its first hop: what gives the assertion" })
  ),
  exchanger: Schema.optionalKey(
    Schema.String.annotate({ description: "Its second hop: what trades the assertion" })
  ),
  state: State,
  remembered: count("How many requests it remembers"),
  requests: Schema.Array(Request).annotate({
    description: `At most ${maximumTold} of them: by state, then those that are asked most`
  })
}).annotate({ identifier: "Flow" })

export const Flows = Schema.Struct({ flows: Schema.Array(ToldFlow) }).annotate({
  identifier: "Flows",
  description: "The flows of this way in"
})

type Told = typeof Request.Type

/** @param now epoch milliseconds */
export const tell = (flows: ReadonlyArray<ServedFlow>, now: number): typeof Flows.Type => ({
  flows: flows.map(({ cloud, exchanger, flow, issues, source }) => {
    const requests = [...flow.entries.values()]
      .map((entry) => tellEntry(entry, now))
      .toSorted((a, b) => rank(a) - rank(b) || b.hits - a.hits)
    return {
      name: flow.name,
      issues,
      ...(cloud !== undefined && { cloud }),
      ...(source !== undefined && { source }),
      ...(exchanger !== undefined && { exchanger }),
      state: requests[0]?.state ?? "idle",
      remembered: requests.length,
      requests: requests.slice(0, maximumTold)
    }
  })
})

const rank = ({ state }: Told): number => states.indexOf(state)

const tellEntry = (entry: Flow.FlowEntry<Credential.Credential>, now: number): Told => {
  const { age, credential, error, failed, hits, points, refreshing, retryAt, succeeded } = entry
  const { audience, claims, scopes } = entry.request
  return {
    ...(scopes !== undefined && { scopes }),
    ...(audience !== undefined && { audience }),
    ...(claims !== undefined && { claims }),
    state: stateOf(entry),
    ...(credential !== undefined && {
      obtainedAt: timestamp(credential.obtainedAt),
      expiresAt: timestamp(credential.expiresAt)
    }),
    ...(age !== undefined &&
      points !== undefined && {
        age: round(age),
        softPoint: round(points.soft),
        hardPoint: round(points.hard),
        life: round(points.life)
      }),
    refreshIn: round(Math.max(0, (points?.soft ?? 0) - (age ?? 0), (retryAt ?? 0) - now)),
    refreshing,
    ...(error !== undefined && { error: failureOf(error) }),
    ...(retryAt !== undefined && { retryAt: timestamp(retryAt) }),
    hits,
    succeeded,
    failed
  }
}

/** From milliseconds to seconds, in tenths. */
const round = (milliseconds: number): number => Math.round(milliseconds / 100) / 10

const stateOf = ({
  age,
  error,
  points,
  refreshing
}: Flow.FlowEntry<Credential.Credential>): Told["state"] => {
  if (age !== undefined && points !== undefined && age < points.life) {
    return age < points.soft ? "fresh" : "stale"
  }
  if (error !== undefined) return "failing"
  if (refreshing) return "fetching"
  return age === undefined ? "idle" : "expired"
}
