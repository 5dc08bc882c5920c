/** Sources made of other sources, of a flow, and of a function. */
import { Assertion, AssertionSource as Core, Malformed, Transient } from "@federate/core"
import type { Reason } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { AssertionSource } from "./adapters.ts"
import { flowBehind, sourceBehind } from "./internal/behind.ts"
import type { TokenFlow } from "./Flow.ts"
import { FederationError } from "./FederationError.ts"
import { sourceOf } from "./internal/plain.ts"
import * as translate from "./internal/translate.ts"

/**
 * The first of several sources that exists here. It goes on only when a source is `Unavailable`; refused, or failing
 * for a while, stops it: falling through on a fault would change who the workload is.
 */
export const firstAvailable = (
  ...sources: readonly [AssertionSource, ...ReadonlyArray<AssertionSource>]
): AssertionSource =>
  sourceOf(
    Effect.map(Effect.all(sources.map(sourceBehind)), ([first, ...rest]) =>
      // As many as there are sources: one at least.
      Core.firstAvailable(first!, ...rest)
    )
  )

/** A flow's token, where it is itself a JWT, as the next assertion: a chain of clouds is a flow over a flow. */
export const fromFlow = (flow: TokenFlow): AssertionSource =>
  sourceOf(Effect.map(flowBehind(flow), Core.fromFlow))

/**
 * Remembers a source's assertions, for an issuer that counts calls: an assertion is given again while 20 s or a quarter
 * of its life is left, whichever is more. The sources of the subpaths whose issuers do are already so.
 */
export const cached = (source: AssertionSource): AssertionSource =>
  sourceOf(Effect.flatMap(sourceBehind(source), Core.cached))

export interface AssertionRequest {
  /** Whom the assertion must be for. */
  readonly audience?: string
  /** Whom the relying party would have it for, where nobody is demanded. */
  readonly preferredAudience?: string
  /** What it may be signed with (RFC 7518 §3.1), best first. */
  readonly algorithms?: ReadonlyArray<string>
  /** "Not this one": it was refused. */
  readonly rejected?: string
  /** Aborted when the attempt has taken too long, or the flow is closed. */
  readonly signal: AbortSignal
}

/**
 * A source of your own: a function that gives a JWT. It is called whenever a new assertion is needed. A `FederationError`
 * that it throws is told as it is; anything else may pass by itself, and is tried again: its message is told to nobody,
 * since it may quote what was sent.
 */
export const fromFunction = (
  name: string,
  getAssertion: (request: AssertionRequest) => Promise<string> | string
): AssertionSource =>
  sourceOf(
    Effect.succeed(
      Core.make({
        name,
        assertion: Effect.fnUntraced(function* ({
          algorithms,
          audience,
          preferredAudience,
          rejected
        }): Effect.fn.Return<Assertion.Assertion, Reason> {
          const obtainedAt = yield* Clock.currentTimeMillis
          const token = yield* Effect.tryPromise({
            try: async (signal) =>
              getAssertion({
                signal,
                ...(audience !== undefined && { audience }),
                ...(preferredAudience !== undefined && { preferredAudience }),
                ...(algorithms !== undefined && { algorithms }),
                ...(rejected !== undefined && { rejected: Redacted.value(rejected.token) })
              }),
            catch: (error) =>
              error instanceof FederationError ? translate.reason(error.reason) : failed(error)
          })
          // The types say so; JavaScript does not.
          if (typeof token !== "string")
            return yield* Effect.fail(
              new Malformed({ detail: `The function gave no text, but ${typeof token}` })
            )
          return yield* Effect.fromResult(Assertion.fromJwt(Redacted.make(token), { obtainedAt }))
        })
      })
    )
  )

const failed = (error: unknown) =>
  new Transient({
    detail: `The function threw ${error instanceof Error ? error.name : typeof error}`
  })
