/**
 * The one error of Federate and its closed set of reasons.
 *
 * No foreign error object is ever kept here: SDK errors carry bodies, headers and tokens, and Effect's logger prints
 * causes to the bottom. An adapter copies out what is public and drops the rest.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"

/** Where in a flow the error arose. */
export type Stage = "configuration" | "assertion" | "exchange"

/** This source does not exist here (no metadata server, no variable set): the next source may try. */
export class Unavailable extends Data.TaggedClass("Unavailable")<{
  /** What was looked for and not found. */
  readonly detail: string
  /** The one thing that would make the source exist. */
  readonly hint?: string
}> {}

/** Our own settings cannot work. Found before any call. */
export class Misconfigured extends Data.TaggedClass("Misconfigured")<{
  /** The setting's name, as the user wrote it. */
  readonly setting: string
  readonly problem: string
  readonly hint: string
}> {}

/**
 * What may cure a refusal without a person:
 * - `none`: nothing; a person must act
 * - `freshAssertion`: the assertion was too old; another one may be taken
 * - `waitForTrust`: a trust that was just set up may not have spread yet
 */
export type Remedy = "none" | "freshAssertion" | "waitForTrust"

/** The other side's own names for what happened: what its support asks for. Public by nature. */
export interface Reference {
  readonly requestId?: string
  readonly traceId?: string
  readonly correlationId?: string
  /** The other side's own time of the refusal, as it wrote it. */
  readonly timestamp?: string
}

/** The other side understood the request, and said no. */
export class Rejected extends Data.TaggedClass("Rejected")<{
  /** The other side's own code: an AADSTS number, an AWS exception name, an OAuth `error` (RFC 6749 §5.2). */
  readonly code: string
  /** HTTP status. */
  readonly status?: number
  /** The other side's own words. */
  readonly description: string
  /** The one fix, with the values to compare. */
  readonly hint: string
  readonly remedy: Remedy
  /** What the user on whose behalf it was asked must bring (OpenID Connect Core §5.5), as JSON: for the user's client. */
  readonly claims?: string
  readonly reference?: Reference
}> {}

/** It may pass by itself: network, 408, 429, 5xx, time-outs, cut bodies. */
export class Transient extends Data.TaggedClass("Transient")<{
  readonly detail: string
  /** HTTP status, when there was an answer. */
  readonly status?: number
  /** The server's `Retry-After`, as epoch milliseconds on our clock. */
  readonly retryAt?: number
}> {}

/** An answer that is not what the protocol says. */
export class Malformed extends Data.TaggedClass("Malformed")<{
  readonly detail: string
}> {}

/** Closed and stable: callers branch on these tags and on nothing else. */
export type Reason = Unavailable | Misconfigured | Rejected | Transient | Malformed

/**
 * Why a credential could not be had.
 *
 * @example
 * ```ts
 * flow.credential().pipe(
 *   Effect.catchReason("FederationError", "Rejected", (reason) => Effect.logError(reason.hint))
 * )
 * ```
 */
export class FederationError extends Data.TaggedError("FederationError")<{
  /** The name of the source, exchanger or flow that tells it. */
  readonly adapter: string
  readonly stage: Stage
  readonly reason: Reason
  /** Epoch milliseconds before which the flow makes no new call. */
  readonly retryAt?: number
}> {
  override get message(): string {
    return `${this.adapter}: ${describe(this.reason)}`
  }
}

const describe = (reason: Reason): string => {
  switch (reason._tag) {
    case "Unavailable":
      return reason.hint === undefined ? reason.detail : sentences(reason.detail, reason.hint)
    case "Misconfigured":
      return sentences(`${reason.setting}: ${reason.problem}`, reason.hint)
    case "Rejected":
      return sentences(`${reason.code}: ${reason.description}`, reason.hint)
    case "Transient":
    case "Malformed":
      return reason.detail
  }
}

const sentences = (first: string, second: string): string =>
  /[.!?]$/.test(first) ? `${first} ${second}` : `${first}. ${second}`

/** What is wrong with an adapter's own settings, or found out while it is set up, told under its name at the stage `configuration`. */
export const inConfiguration =
  (adapter: string) =>
  <A, R>(effect: Effect.Effect<A, Reason, R>): Effect.Effect<A, FederationError, R> =>
    Effect.mapError(
      effect,
      (reason) => new FederationError({ adapter, stage: "configuration", reason })
    )

/** What settings come to. Those that can be told not to work are told so, as {@link inConfiguration} does, before any call. */
export const configured = <A>(
  adapter: string,
  settings: Result.Result<A, Reason>
): Effect.Effect<A, FederationError> => inConfiguration(adapter)(Effect.fromResult(settings))
