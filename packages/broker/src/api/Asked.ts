/** A request to the API: who asks, and what comes of it besides its answer. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Refusal } from "../Answer.ts"
import type { Handed } from "../Audit.ts"
import type { Headers } from "../Headers.ts"

export interface Asked {
  readonly headers: Pick<Headers, "authorization">
  handed?: Handed
  refused?: Refusal
}

/** Given with each request; without one nobody is authorized. */
export const Asked = Context.Reference<Asked>("@federate/broker/api/Asked", {
  defaultValue: () => ({ headers: { authorization: undefined } })
})

/** Says no: the problem is written where the listener's own are. */
export const refuse = (refused: Refusal): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(Asked, (asked) => {
    asked.refused = refused
    return HttpServerResponse.empty({ status: refused.status })
  })
