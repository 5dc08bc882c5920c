/** A flow without a memory: an assertion, an exchange, and both again within a policy. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type { Assertion } from "../Assertion.ts"
import type { AssertionRequest } from "../AssertionSource.ts"
import type { Credential } from "../Credential.ts"
import { FederationError, Rejected, Transient } from "../FederationError.ts"
import type { Stage } from "../FederationError.ts"
import type { DirectOptions, Flow } from "../Flow.ts"
import * as FlowMetrics from "../FlowMetrics.ts"
import * as RetryPolicy from "../RetryPolicy.ts"
import { passThrough } from "../TokenExchanger.ts"
import type { TokenRequest } from "../TokenRequest.ts"
import * as Instant from "./Instant.ts"
import { once } from "./once.ts"
import { misfit } from "./pairing.ts"

/** A flow that remembers nothing: each credential is one assertion and one exchange, tried again within `retry`. */
export const direct = <C extends Credential>(options: DirectOptions<C>): Flow<C> => {
  const { exchanger } = options
  const source = once(options.source)
  const name = options.name ?? `${source.name} to ${exchanger.name}`
  return {
    name,
    entries: new Map(),
    credential: Effect.fnUntraced(function* (request) {
      const policy = (yield* RetryPolicy.Override) ?? options.retry ?? RetryPolicy.standard
      return yield* within(policy, attempts({ source, exchanger }, request ?? {}), name)
    })
  }
}

/** What is tried, as often as a policy says. */
interface Attempts<C extends Credential> {
  readonly next: Effect.Effect<C, FederationError>
  /** Who is being waited for. */
  readonly where: () => { readonly adapter: string; readonly stage: Stage }
}

const attempts = <C extends Credential>(
  { exchanger, source }: Pick<DirectOptions<C>, "exchanger" | "source">,
  request: TokenRequest
): Attempts<C> => {
  const asks = asked(exchanger, request)
  let where: { readonly adapter: string; readonly stage: Stage } = {
    adapter: source.name,
    stage: "assertion"
  }
  // At most one fresh assertion for all attempts.
  let renewed = false
  const trade = Effect.fnUntraced(function* (
    rejected?: Assertion
  ): Effect.fn.Return<C, FederationError> {
    where = { adapter: source.name, stage: "assertion" }
    const askedAt = yield* Clock.currentTimeMillis
    const assertion = yield* source.assertion(rejected === undefined ? asks : { ...asks, rejected })
    const unfit = misfit(asks, assertion)
    if (unfit !== undefined) return yield* new FederationError({ ...where, reason: unfit })
    where = { adapter: exchanger.name, stage: "exchange" }
    const result = yield* Effect.result(exchanger.exchange(assertion, request))
    if (Result.isSuccess(result)) return result.success
    const { reason } = result.failure
    if (reason._tag !== "Rejected" || reason.remedy !== "freshAssertion")
      return yield* result.failure
    const now = yield* Clock.currentTimeMillis
    if (renewed || isNew(assertion, askedAt, now)) {
      return yield* new FederationError({ ...where, reason: outOfTime(reason, assertion, now) })
    }
    renewed = true
    return yield* trade(assertion)
  })
  return { where: () => where, next: Effect.suspend(trade) }
}

const asked = (
  exchanger: DirectOptions<Credential>["exchanger"],
  { audience }: TokenRequest
): AssertionRequest =>
  exchanger === passThrough && audience !== undefined ? { audience } : exchanger.asks

/** Whether it was made for us just now: neither out of a cache nor past half its life. */
const isNew = (
  { expiresAt, lifetime, obtainedAt }: Assertion,
  askedAt: number,
  now: number
): boolean =>
  obtainedAt >= askedAt &&
  (expiresAt === undefined || lifetime === undefined || expiresAt - now > lifetime / 2)

const outOfTime = (reason: Rejected, assertion: Assertion, now: number): Rejected =>
  new Rejected({
    ...reason,
    remedy: "none",
    hint:
      `The assertion was ${seconds(now - assertion.obtainedAt)} old when it was refused as out of its time, so a clock ` +
      `is wrong: the issuer's, the relying party's or this machine's, which says ${new Date(now).toISOString()}.`
  })

const within = Effect.fnUntraced(function* <C extends Credential>(
  policy: RetryPolicy.RetryPolicy,
  tried: Attempts<C>,
  flow: string
) {
  const clock = yield* Clock.Clock
  const deadline = Instant.monotonic(clock) + Duration.toMillis(policy.deadline)
  const step = yield* Schedule.toStep(policy.schedule)
  for (let attempt = 1; ; attempt++) {
    const longest = Math.min(
      Duration.toMillis(policy.attemptTimeout),
      deadline - Instant.monotonic(clock)
    )
    const result = yield* tried.next.pipe(
      Effect.timeoutOrElse({
        duration: longest,
        orElse: () => Effect.fail(timedOut(tried.where(), longest))
      }),
      Effect.withSpan("federate.attempt", {
        attributes: { "federate.flow": flow, "federate.attempt": attempt }
      }),
      Effect.result
    )
    if (Result.isSuccess(result)) return result.success
    const error = result.failure
    if (!mayPass(error)) return yield* error
    const pause = yield* Pull.matchEffect(step(Instant.monotonic(clock), error), {
      onSuccess: ([, delay]) => Effect.succeed(Duration.toMillis(delay)),
      onFailure: Effect.failCause,
      onDone: () => Effect.undefined
    })
    if (pause === undefined) return yield* error
    const now = yield* Clock.currentTimeMillis
    // Added, not the larger of the two: with that every client would come back in the same instant.
    const delay = pause + Math.max(0, (serverSays(error) ?? now) - now)
    if (Instant.monotonic(clock) + delay >= deadline) {
      const { adapter, reason, stage } = error
      return yield* new FederationError({ adapter, stage, reason, retryAt: now + delay })
    }
    yield* Metric.update(
      Metric.withAttributes(FlowMetrics.retries, { flow, reason: error.reason._tag }),
      1
    )
    yield* Effect.logDebug(
      `Attempt ${attempt} failed; the next one is in ${Math.ceil(delay)} ms. ${error.message}`
    ).pipe(Effect.annotateLogs({ flow }))
    yield* Effect.sleep(delay)
  }
})

const mayPass = ({ reason }: FederationError): boolean =>
  reason._tag === "Transient" || (reason._tag === "Rejected" && reason.remedy === "waitForTrust")

const serverSays = ({ reason }: FederationError): number | undefined =>
  reason._tag === "Transient" ? reason.retryAt : undefined

/** The error of who was waited for in vain. */
export const timedOut = (
  where: { readonly adapter: string; readonly stage: Stage },
  milliseconds: number
): FederationError =>
  new FederationError({
    ...where,
    reason: new Transient({ detail: `No answer within ${seconds(milliseconds)}` })
  })

const seconds = (milliseconds: number): string =>
  milliseconds < 1000
    ? `${Math.max(0, Math.round(milliseconds))} ms`
    : `${Math.round(milliseconds / 1000)} s`
