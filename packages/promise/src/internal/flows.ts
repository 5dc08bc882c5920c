/** The flows that stand behind plain ones. */
import type { FederationError, Flow } from "@federate/core"
import type * as Effect from "effect/Effect"
import type { TokenFlow } from "../Flow.ts"

export const flows = new WeakMap<object, Effect.Effect<Flow.Flow, FederationError>>()

/** Every plain flow has one. */
export const flowBehind = (flow: TokenFlow) => flows.get(flow)!
