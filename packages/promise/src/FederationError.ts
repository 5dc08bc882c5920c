/** The one error, and its closed set of reasons. */

/** Where in a flow the error arose. */
export type Stage = "configuration" | "assertion" | "exchange"

/** This source does not exist here: no metadata server, no variable set. */
export interface Unavailable {
  readonly type: "Unavailable"
  /** What was looked for and not found. */
  readonly detail: string
  /** The one thing that would make the source exist. */
  readonly hint?: string
}

/** Settings that cannot work. Found before any call. */
export interface Misconfigured {
  readonly type: "Misconfigured"
  readonly setting: string
  readonly problem: string
  readonly hint: string
}

/** The other side understood the request, and said no. */
export interface Rejected {
  readonly type: "Rejected"
  /** The other side's own: an AADSTS number, an AWS exception's name, an OAuth `error` (RFC 6749 §5.2). */
  readonly code: string
  /** HTTP status. */
  readonly status?: number
  /** The other side's own words. */
  readonly description: string
  /** The one fix, with the values to compare. */
  readonly hint: string
  /** What may cure it without a person: nothing; a newer assertion; time, for a trust that was just set up. */
  readonly remedy: "none" | "freshAssertion" | "waitForTrust"
  /** What the user on whose behalf it was asked must bring, as JSON: for the user's client. */
  readonly claims?: string
  /** The other side's own names for what happened: what its support asks for. */
  readonly reference?: {
    readonly requestId?: string
    readonly traceId?: string
    readonly correlationId?: string
    readonly timestamp?: string
  }
}

/** It may pass by itself: network, 408, 429, 5xx, time-outs, cut bodies. */
export interface Transient {
  readonly type: "Transient"
  readonly detail: string
  /** HTTP status, when there was an answer. */
  readonly status?: number
  /** The server's `Retry-After`, as epoch milliseconds. */
  readonly retryAt?: number
}

/** An answer that is not what the protocol says. */
export interface Malformed {
  readonly type: "Malformed"
  readonly detail: string
}

/** Closed and stable: branch on `type`, and on nothing else. */
export type Reason = Unavailable | Misconfigured | Rejected | Transient | Malformed

export interface FederationErrorFields {
  readonly adapter: string
  readonly stage: Stage
  readonly reason: Reason
  readonly retryAt?: number | undefined
}

/** Why a credential could not be had. It holds no token, secret or assertion, and no foreign error. */
export class FederationError extends Error {
  /** Whatever a bundler calls the class. */
  static override readonly name = "FederationError"
  override readonly name = "FederationError"
  /** The other side's own code where it said no (`AADSTS700213`), else the reason's type (`Transient`). */
  readonly code: string
  /** The name of the source, exchanger or flow that tells it. */
  readonly adapter: string
  readonly stage: Stage
  readonly reason: Reason
  /** The one fix, where there is one. */
  declare readonly hint?: string
  /** Epoch milliseconds before which the flow makes no new call. */
  declare readonly retryAt?: number

  constructor(message: string, { adapter, reason, retryAt, stage }: FederationErrorFields) {
    super(message)
    this.code = reason.type === "Rejected" ? reason.code : reason.type
    this.adapter = adapter
    this.stage = stage
    this.reason = reason
    if ("hint" in reason && reason.hint !== undefined) this.hint = reason.hint
    if (retryAt !== undefined) this.retryAt = retryAt
  }
}
