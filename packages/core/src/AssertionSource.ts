/** Where an assertion comes from: Cognito, AWS STS, GitHub, Kubernetes, SPIFFE, a file. */
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Assertion from "./Assertion.ts"
import { accessToken } from "./Credential.ts"
import type { AccessToken } from "./Credential.ts"
import { FederationError, Unavailable } from "./FederationError.ts"
import type { Reason } from "./FederationError.ts"
import type { Flow } from "./Flow.ts"
import * as Instant from "./internal/Instant.ts"
import { once } from "./internal/once.ts"
import { misfit } from "./internal/pairing.ts"

export { refusal } from "./internal/pairing.ts"

/** What a relying party asks of an assertion, and what a source is asked for. */
export interface AssertionRequest {
  /** A demand: configured, or the only one that is accepted. */
  readonly audience?: string
  /** For a source that can choose, where none is demanded (Entra: `api://AzureADTokenExchange`). */
  readonly preferredAudience?: string
  /** The JWS algorithms it takes (RFC 7518 §3.1), best first. */
  readonly algorithms?: ReadonlyArray<string>
  /** Domains whose issuers it does not take (AWS: its own partition's `tokens.sts.global.api.aws`). */
  readonly notFrom?: ReadonlyArray<string>
  /** "Not this one": it was refused. */
  readonly rejected?: Assertion.Assertion
  /** The target takes a `jti` once: mint a new one each time. A flow trades no assertion a second time then. */
  readonly singleUse?: boolean
}

/** What is known of a source's assertions before any call. What is absent is unknown. */
export interface AssertionOffer {
  /** The issuer, or the domain that it is in where only its tokens tell more. */
  readonly issuer?: string | { readonly within: string }
  /** The audience: `"any"` that is asked for, or the only one that this source can give. */
  readonly audience?: "any" | { readonly only: string }
  /** The JWS algorithms that it signs with. */
  readonly algorithms?: ReadonlyArray<string>
}

/** Produces a signed statement about this workload. */
export interface AssertionSource {
  /** Public: it stands in errors, spans and on status pages. */
  readonly name: string
  readonly offers: AssertionOffer
  readonly assertion: (
    request: AssertionRequest
  ) => Effect.Effect<Assertion.Assertion, FederationError>
}

/**
 * Makes a source of what fails with bare reasons: they are told under the source's name, at the stage `assertion`. A
 * demanded audience, or an issuer, that the assertion does not turn out to fit is one of them, `Misconfigured`.
 */
export const make = (options: {
  readonly name: string
  /** Default: nothing is known. */
  readonly offers?: AssertionOffer
  readonly assertion: (request: AssertionRequest) => Effect.Effect<Assertion.Assertion, Reason>
}): AssertionSource => {
  const { name, offers = {} } = options
  return {
    name,
    offers,
    assertion: (request) =>
      options.assertion(request).pipe(
        Effect.flatMap((assertion) => {
          const unfit = misfit(request, assertion)
          return unfit === undefined ? Effect.succeed(assertion) : Effect.fail(unfit)
        }),
        Effect.mapError(
          (reason) => new FederationError({ adapter: name, stage: "assertion", reason })
        )
      )
  }
}

/** Always the same assertion: for tests, and for who mints his own. */
export const fixed = (assertion: Assertion.Assertion, name = "fixed"): AssertionSource => ({
  name,
  offers: {
    ...(assertion.issuer !== undefined && { issuer: assertion.issuer }),
    ...(assertion.audience.length === 1 && { audience: { only: assertion.audience[0]! } }),
    ...(assertion.algorithm !== undefined && { algorithms: [assertion.algorithm] })
  },
  assertion: () => Effect.succeed(assertion)
})

/**
 * The first of several sources that exists here. It goes on only when a source is `Unavailable`; refused, or failing
 * for a while, stops it: falling through on a fault would change who the workload is.
 */
export const firstAvailable = (
  ...sources: readonly [AssertionSource, ...ReadonlyArray<AssertionSource>]
): AssertionSource => {
  const name = sources.map((source) => source.name).join(" | ")
  return {
    name,
    offers: {},
    assertion: Effect.fnUntraced(function* (request) {
      const absent: Array<string> = []
      for (const source of sources) {
        const result = yield* Effect.result(source.assertion(request))
        if (Result.isSuccess(result)) return result.success
        if (result.failure.reason._tag !== "Unavailable") return yield* result.failure
        absent.push(result.failure.message)
      }
      return yield* new FederationError({
        adapter: name,
        stage: "assertion",
        reason: new Unavailable({
          detail: `None of the ${sources.length} sources exists here. ${absent.join(" ")}`
        })
      })
    })
  }
}

/** How many different requests a cached source remembers. */
const cachedRequests = 100

/** An assertion with less than this left, in milliseconds, or less than a quarter of its life, is not handed out again. */
const leastLeft = 20_000

interface Held {
  readonly assertion: Assertion.Assertion
  readonly obtained: Instant.Instant
  /** When it arrived. */
  readonly arrived: Instant.Instant
}

/**
 * Remembers assertions by what was asked, for an issuer that counts calls. One call at a time for the same request,
 * interrupted when the last who waits for it leaves. An assertion is handed out while 20 s or a quarter of its life
 * is left, whichever is more; it is dropped when a request names it as `rejected`, and for a `singleUse` request the
 * source is asked each time.
 */
export const cached = Effect.fnUntraced(function* (
  source: AssertionSource
): Effect.fn.Return<AssertionSource> {
  const clock = yield* Clock.Clock
  const ask = Effect.fnUntraced(function* (request: AssertionRequest) {
    const asked = Instant.now(clock)
    const assertion = yield* source.assertion(request)
    const obtained = Instant.obtained(clock, asked, assertion.obtainedAt)
    return { assertion, obtained, arrived: Instant.now(clock) } satisfies Held
  })
  const cache = yield* Cache.makeWith(ask, {
    capacity: cachedRequests,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? "1 day" : 0)
  })
  const lasts = ({ assertion, obtained }: Held): boolean => {
    if (assertion.expiresAt === undefined) return false
    const life = assertion.expiresAt - assertion.obtainedAt
    return life - Instant.elapsed(clock, obtained) >= Math.max(leastLeft, life / 4)
  }
  return {
    name: source.name,
    offers: source.offers,
    assertion: Effect.fnUntraced(function* ({ rejected, ...request }) {
      if (request.singleUse === true) return yield* source.assertion(request)
      const asked = Instant.now(clock)
      const held = yield* Cache.get(cache, request)
      // What arrived while we waited is as new as can be, however short it lives.
      const isNew = held.arrived.monotonic >= asked.monotonic
      const isRejected = rejected !== undefined && Assertion.same(held.assertion, rejected)
      if (isNew || (lasts(held) && !isRejected)) return held.assertion
      // Only this one: who came before may have put a newer one in its place.
      yield* Cache.invalidateWhen(cache, request, (current) => current === held)
      return (yield* Cache.get(cache, request)).assertion
    })
  }
})

/**
 * Lets a flow's credential, where it is itself a JWT, be the next assertion: a chain of clouds is a flow over a flow.
 */
export const fromFlow = (flow: Flow<AccessToken>): AssertionSource =>
  once({
    name: flow.name,
    offers: {},
    assertion: Effect.fnUntraced(function* ({ audience, preferredAudience, rejected }) {
      const wanted = audience ?? preferredAudience
      const credential = yield* flow.credential({
        ...(wanted !== undefined && { audience: wanted }),
        // Access tokens are told by the token alone.
        ...(rejected !== undefined && {
          rejected: accessToken({
            token: rejected.token,
            tokenType: "N_A",
            obtainedAt: 0,
            expiresAt: 0
          })
        })
      })
      const assertion = Assertion.fromJwt(credential.token, { obtainedAt: credential.obtainedAt })
      if (Result.isFailure(assertion)) {
        return yield* new FederationError({
          adapter: flow.name,
          stage: "assertion",
          reason: assertion.failure
        })
      }
      return { ...assertion.success, expiresAt: credential.expiresAt }
    })
  })
