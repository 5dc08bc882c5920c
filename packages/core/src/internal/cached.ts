/** A flow with a memory: refresh ahead of the end, one flight for all who ask the same. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { same } from "../Credential.ts"
import type { Credential } from "../Credential.ts"
import { FederationError, Malformed, Misconfigured } from "../FederationError.ts"
import type { Flow } from "../Flow.ts"
import * as FlowMetrics from "../FlowMetrics.ts"
import * as RefreshPolicy from "../RefreshPolicy.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import * as TokenRequest from "../TokenRequest.ts"
import { timedOut } from "./direct.ts"
import { Entry } from "./FlowEntry.ts"
import type { Flight } from "./FlowEntry.ts"
import * as Instant from "./Instant.ts"

/** The most credentials that one flow remembers; the least recently used goes first, one in flight never. */
const maximumEntries = 1000

/**
 * Remembers what a flow hands out, by `TokenRequest.key`, and refreshes it ahead of its end.
 *
 * - Before its soft point a credential is handed out at once; past it too, while one refresh runs in the background.
 * - Past its hard point callers wait a little for the refresh, then get the old one for as long as it is valid.
 * - All who ask the same share one flight. A flight belongs to the flow: it runs in the scope that the flow was made
 *   in, goes on when every waiter has left, and is interrupted, its request aborted, when that scope closes.
 * - What answers a claims challenge also takes the place of the credential of the same request without claims.
 * - A failure never replaces a credential. Where nothing is valid it stands for a while: `FlowEntry.retryAt`.
 */
export const cached = Effect.fnUntraced(function* <C extends Credential>(
  flow: Flow<C>,
  policy: RefreshPolicy.RefreshPolicy = RefreshPolicy.standard
): Effect.fn.Return<Flow<C>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const surroundings = yield* Effect.context()
  const entries = new Map<string, Entry<C>>()
  const uses = { count: 0 }

  const entryOf = (request: TokenRequest.TokenRequest): Entry<C> => {
    const key = TokenRequest.key(request)
    let entry = entries.get(key)
    if (entry === undefined) {
      if (entries.size >= maximumEntries) evict(entries)
      const { rejected: _, ...asked } = request
      entry = new Entry<C>(clock, uses, asked)
      entries.set(key, entry)
    }
    return entry
  }

  const fetch = Effect.fnUntraced(function* (request: TokenRequest.TokenRequest) {
    const asked = Instant.now(clock)
    const credential = yield* flow.credential(request)
    const obtained = Instant.obtained(clock, asked, credential.obtainedAt)
    const points = RefreshPolicy.points(policy, credential, yield* Random.next)
    return {
      credential,
      obtained,
      points,
      expired: Instant.elapsed(clock, obtained) >= points.life
    }
  })

  const fly = (entry: Entry<C>, flight: Flight<C>, request: TokenRequest.TokenRequest) =>
    fetch(request).pipe(
      // A wall clock that jumped ahead meanwhile makes what has just arrived look expired: once more, then.
      Effect.flatMap((fetched) => (fetched.expired ? fetch(request) : Effect.succeed(fetched))),
      Effect.filterOrFail(
        (fetched) => !fetched.expired,
        () =>
          failure(
            flow,
            "exchange",
            new Malformed({ detail: "The credential had expired before it arrived" })
          )
      ),
      flight.background ? single : (effect) => effect,
      Effect.withSpan(flight.background ? "federate.refresh" : "federate.flight", {
        attributes: { "federate.flow": flow.name }
      }),
      Effect.onExit((exit) => land(entry, flight, exit))
    )

  /** One short attempt, whatever stands between this flow and the network. */
  const single = <A>(effect: Effect.Effect<A, FederationError>) =>
    effect.pipe(
      Effect.provideService(RetryPolicy.Override, RetryPolicy.none),
      Effect.timeoutOrElse({
        duration: policy.backgroundTimeout,
        orElse: () =>
          Effect.fail(
            timedOut(
              { adapter: flow.name, stage: "exchange" },
              Duration.toMillis(policy.backgroundTimeout)
            )
          )
      })
    )

  const land = Effect.fnUntraced(function* (
    entry: Entry<C>,
    flight: Flight<C>,
    exit: Exit.Exit<Effect.Success<ReturnType<typeof fetch>>, FederationError>
  ) {
    entry.flight = undefined
    let outcome = "success"
    if (Exit.isSuccess(exit)) {
      const { credential, obtained, points } = exit.value
      entry.accept(credential, obtained, points)
      const { claims, ...unchallenged } = entry.request
      // Where the credential in hand was challenged, it would be for every caller until its end.
      if (claims !== undefined)
        entries.get(TokenRequest.key(unchallenged))?.adopt(credential, obtained, points)
      Deferred.doneUnsafe(flight.done, Effect.succeed(credential))
    } else if (Cause.hasInterruptsOnly(exit.cause)) {
      outcome = "interrupted"
      Deferred.doneUnsafe(flight.done, Effect.fail(closed(flow)))
    } else {
      const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
      outcome = error?.reason._tag ?? "defect"
      if (error === undefined) {
        Deferred.doneUnsafe(flight.done, Effect.failCause(exit.cause))
      } else {
        entry.refuse(error, flight.background)
        Deferred.doneUnsafe(flight.done, Effect.fail(entry.standing ?? error))
        if (flight.background) yield* warn(flow, `The background refresh failed. ${error.message}`)
      }
    }
    yield* Metric.update(
      Metric.withAttributes(FlowMetrics.flights, {
        flow: flow.name,
        mode: flight.background ? "background" : "blocking",
        outcome
      }),
      1
    )
  })

  const start = (entry: Entry<C>, request: TokenRequest.TokenRequest, background: boolean) =>
    Effect.suspend(() => {
      const flight: Flight<C> = {
        background,
        started: Instant.now(clock),
        done: Deferred.makeUnsafe(),
        warned: false
      }
      entry.flight = flight
      return fly(entry, flight, request).pipe(
        // A flight sees the flow's own surroundings, not those of whoever asked first.
        Effect.updateContext<never, never>(() => surroundings),
        // At once: what is interrupted before it has begun lands nowhere, and its callers would wait for ever.
        Effect.forkIn(scope, { startImmediately: true }),
        Effect.as(flight)
      )
    }).pipe(Effect.uninterruptible)

  const isClosed = (): boolean => scope.state._tag === "Closed"

  /** Nothing valid is in hand. */
  const absent = (
    entry: Entry<C>,
    request: TokenRequest.TokenRequest
  ): Effect.Effect<C, FederationError> =>
    Effect.suspend(() => {
      const { flight, standing } = entry
      if (flight?.background === true) {
        // Its failure is nobody's error: when it brought nothing, a flight with all its attempts follows.
        return Effect.andThen(Effect.exit(Deferred.await(flight.done)), credential(request))
      }
      if (flight !== undefined) return outcome(entry, request, flight)
      if (standing !== undefined) return Effect.fail(standing)
      if (isClosed()) return Effect.fail(closed(flow))
      return Effect.flatMap(start(entry, request, false), (started) =>
        outcome(entry, request, started)
      )
    })

  /** What a flight brings; or what came into hand meanwhile (a claims challenge's answer, a clock put right), if it fails. */
  const outcome = (entry: Entry<C>, { rejected }: TokenRequest.TokenRequest, { done }: Flight<C>) =>
    Deferred.await(done).pipe(
      Effect.catch((error) => {
        const held = entry.isValid ? entry.credential : undefined
        return held === undefined || (rejected !== undefined && same(held, rejected))
          ? Effect.fail(error)
          : Effect.succeed(held)
      })
    )

  /** The credential in hand is valid, but past its hard point. */
  const expiring = Effect.fnUntraced(function* (
    entry: Entry<C>,
    request: TokenRequest.TokenRequest,
    valid: C
  ) {
    const flight =
      entry.flight ??
      (entry.mayRefresh && !isClosed() ? yield* start(entry, request, false) : undefined)
    if (flight === undefined) return valid
    const wait = Math.min(
      // Counted from the flight's start: what has kept one caller waiting keeps no other.
      Duration.toMillis(policy.patience) - Instant.elapsed(clock, flight.started),
      entry.beforeLastMoment
    )
    const served = yield* Deferred.await(flight.done).pipe(
      Effect.timeoutOption(Math.max(0, wait)),
      Effect.catch(() => Effect.succeedNone)
    )
    if (Option.isSome(served)) return served.value
    if (!entry.isValid) return yield* absent(entry, request)
    if (!flight.warned) {
      flight.warned = true
      yield* warn(
        flow,
        "The refresh has brought nothing yet; callers get the credential in hand while it is valid"
      )
    }
    return valid
  })

  const credential = (request: TokenRequest.TokenRequest = {}): Effect.Effect<C, FederationError> =>
    Effect.suspend(() => {
      const entry = entryOf(request)
      if (request.rejected !== undefined) entry.drop(request.rejected)
      const fresh = entry.current()
      if (fresh !== undefined) return Effect.succeed(fresh)
      const held = entry.credential
      if (held === undefined || !entry.isValid) return absent(entry, request)
      if (entry.isPastHardPoint) return expiring(entry, request, held)
      return entry.mayRefresh && !isClosed()
        ? Effect.as(start(entry, entry.request, true), held)
        : Effect.succeed(held)
    })

  return { name: flow.name, entries, credential }
})

const evict = <C extends Credential>(entries: Map<string, Entry<C>>): void => {
  let oldest: string | undefined
  let used = Infinity
  for (const [key, entry] of entries) {
    if (entry.flight === undefined && entry.used < used) {
      oldest = key
      used = entry.used
    }
  }
  if (oldest !== undefined) entries.delete(oldest)
}

const failure = (
  flow: Flow<Credential>,
  stage: FederationError["stage"],
  reason: FederationError["reason"]
): FederationError => new FederationError({ adapter: flow.name, stage, reason })

const closed = (flow: Flow<Credential>): FederationError =>
  failure(
    flow,
    "configuration",
    new Misconfigured({
      setting: "flow",
      problem: "is closed",
      hint: "Make it where it lives as long as its use: in the program's scope, not in a request's."
    })
  )

const warn = (flow: Flow<Credential>, message: string): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logWarning(message), { flow: flow.name })
