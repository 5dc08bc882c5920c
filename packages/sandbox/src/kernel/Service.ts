/** What the server wants of each stand-in. */
import type * as Effect from "effect/Effect"
import type { Endpoint, Service as Name } from "./Endpoint.ts"
import type { Request, Response } from "./Http.ts"

/** A request that a service takes as its own. */
export interface Call {
  /** Absent when the service has no such operation: not counted, never struck by a fault. */
  readonly endpoint?: Endpoint
  /** The service's own errors are answers by now. */
  readonly answer: Effect.Effect<Response>
}

/** Why a fault makes a service fail: too many calls, or this HTTP status. */
export type Failure = "throttled" | number

export interface Service {
  readonly name: Name
  /** The call that a request is, if it is this service's. */
  readonly route: (request: Request) => Call | undefined
  /** A failure that a fault imposes, in the service's own words. */
  readonly failure: (request: Request, failure: Failure) => Effect.Effect<Response>
}
