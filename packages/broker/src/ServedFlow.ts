/** A flow as the broker serves it: what it issues, and for whose SDKs. */
import { FederationError, Misconfigured } from "@federate/core"
import type { AssertionSource, AwsCredentials, Flow, TokenRequest } from "@federate/core"
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { refusal } from "./Answer.ts"
import type { Refusal } from "./Answer.ts"

interface About {
  /** Its hops, for the status page. */
  readonly source?: string
  readonly exchanger?: string
}

/** A flow whose credentials are access tokens; or assertions, where it has no exchanger or one that issues ID tokens. */
export interface ServedTokens extends About {
  readonly flow: Flow.Flow
  readonly issues: "AccessToken" | "Assertion"
  /** Whose SDKs its tokens are for: served without a mapping to those, where it is the only one. */
  readonly cloud?: "azure" | "google"
  /** The identity that the tokens are of, as clients may name it: Azure's client id, Google's e-mail. */
  readonly client?: string
  /** What is asked for when a client does not say: asked for by name, so that one token serves both. */
  readonly scopes?: ReadonlyArray<string>
  /** The same exchange of another assertion: what RFC 8693's mode `forward` needs. */
  readonly over?: (
    source: AssertionSource.AssertionSource
  ) => Effect.Effect<Flow.Flow, FederationError, Scope.Scope>
}

/** A flow whose credentials are AWS's. */
export interface ServedAwsCredentials extends About {
  readonly flow: Flow.Flow<AwsCredentials>
  readonly issues: "AwsCredentials"
  readonly cloud?: "aws"
}

export type ServedFlow = ServedTokens | ServedAwsCredentials

const kinds = {
  AccessToken: "access tokens",
  Assertion: "assertions",
  AwsCredentials: "AWS credentials"
} as const

/** A setting of the broker's that cannot work. */
export const misconfigured = (setting: string, problem: string, hint: string): FederationError =>
  new FederationError({
    adapter: "broker",
    stage: "configuration",
    reason: new Misconfigured({ setting, problem, hint })
  })

/**
 * The flow that a setting names. One that issues something else than the route hands out is refused here, before the
 * first call.
 */
export const named = <Issues extends ServedFlow["issues"]>(
  flows: ReadonlyArray<ServedFlow>,
  setting: string,
  name: string,
  issues: Issues
): Result.Result<ServedBy<Issues>, FederationError> => {
  const found = flows.find(({ flow }) => flow.name === name)
  if (found === undefined) {
    return Result.fail(
      misconfigured(
        setting,
        `names no flow: "${name}"`,
        `The flows here are ${flows.map(({ flow }) => flow.name).join(", ")}.`
      )
    )
  }
  return isIssuing(found, issues)
    ? Result.succeed(found)
    : Result.fail(
        misconfigured(
          setting,
          `the flow "${name}" issues ${kinds[found.issues]}; ${kinds[issues]} are needed`,
          "Name a flow that does."
        )
      )
}

/** What a flow is asked for by these scopes; by none, for its own. */
export const tokenRequest = (
  served: ServedFlow,
  scopes: ReadonlyArray<string> = []
): TokenRequest.TokenRequest => {
  const own = served.issues === "AccessToken" ? served.scopes : undefined
  const asked = scopes.length === 0 ? (own ?? []) : scopes
  return asked.length === 0 ? {} : { scopes: asked }
}

/** What a flow that issues this is. */
export type ServedBy<Issues extends ServedFlow["issues"]> = Issues extends "AwsCredentials"
  ? ServedAwsCredentials
  : ServedTokens

export const isIssuing = <Issues extends ServedFlow["issues"]>(
  served: ServedFlow,
  issues: Issues
): served is ServedFlow & ServedBy<Issues> => served.issues === issues

/**
 * The flow that needs no mapping, as it is the only one of its kind; else what a caller is told.
 *
 * @param what what it issues, in words
 * @param setting where one would be named
 */
export const only = <F extends ServedFlow>(
  candidates: ReadonlyArray<F>,
  what: string,
  setting: string
): F | Refusal => {
  const [first, second] = candidates
  if (first !== undefined && second === undefined) return first
  return refusal(
    "invalid_request",
    first === undefined
      ? `No flow of this broker issues ${what}. Add one to its config file, or name one at ${setting}.`
      : `Several flows issue ${what}: ${candidates.map(({ flow }) => flow.name).join(", ")}. Say which at ${setting}.`
  )
}
