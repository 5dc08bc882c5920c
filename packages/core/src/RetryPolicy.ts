/** How a flow tries again: a value, from code or from the config's `retry:`. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { FederationError } from "./FederationError.ts"

export interface RetryPolicy {
  /**
   * Whether and when to try again. A flow asks it only about what may pass by itself: `Transient`, and `Rejected` with
   * the remedy `waitForTrust`; one of your own that looks at neither (`Schedule.recurs(3)`) tries both again. A server's
   * `Retry-After` is added to its delay.
   */
  readonly schedule: Schedule.Schedule<unknown, FederationError>
  /** How long one attempt (assertion and exchange) may take. */
  readonly attemptTimeout: Duration.Duration
  /** How long all attempts and the pauses between them may take. */
  readonly deadline: Duration.Duration
}

export interface BackoffOptions {
  /** In all, the first included. Default 4. */
  readonly attempts?: number
  /** The upper bound of the first pause; it doubles each time. Default 250 ms. */
  readonly firstDelay?: Duration.Input
  /** The upper bound of every pause. Default 20 s. */
  readonly maximumDelay?: Duration.Input
  /** For how long to wait for a trust that was just set up. Default: two quick tries, 250 ms and 1 s later. */
  readonly waitForTrust?: Duration.Input
}

/** Exponential back-off with full jitter: each pause is a uniform random part of its upper bound. */
export const backoff = (
  options: BackoffOptions = {}
): Schedule.Schedule<unknown, FederationError> => {
  const growing = (longest: Duration.Input) =>
    Schedule.min([
      Schedule.exponential(options.firstDelay ?? "250 millis"),
      Schedule.spaced(longest)
    ])
  const transient = growing(options.maximumDelay ?? "20 seconds").pipe(
    Schedule.modifyDelay(({ duration }) =>
      Effect.map(Random.next, (part) => Duration.times(duration, part))
    ),
    Schedule.upTo({ times: (options.attempts ?? 4) - 1 })
  )
  const trust =
    options.waitForTrust === undefined
      ? Schedule.exponential("250 millis", 4).pipe(Schedule.upTo({ times: 2 }))
      : growing("5 seconds").pipe(Schedule.upTo({ duration: options.waitForTrust }))
  // Two schedules that keep their own counts: a trust that spreads slowly does not use up the tries for a bad network.
  return Schedule.fromStep(
    Effect.map(
      Effect.all([Schedule.toStep(transient), Schedule.toStep(trust)]),
      ([onTransient, onTrust]) =>
        (now: number, error: FederationError) =>
          error.reason._tag === "Transient" ? onTransient(now, error) : onTrust(now, error)
    )
  )
}

export interface Options {
  /** Default: {@link backoff}. */
  readonly schedule?: Schedule.Schedule<unknown, FederationError>
  /** Default 10 s. */
  readonly attemptTimeout?: Duration.Input
  /** Default 30 s. */
  readonly deadline?: Duration.Input
}

export const make = (options: Options = {}): RetryPolicy => ({
  schedule: options.schedule ?? backoff(),
  attemptTimeout: Duration.fromInputUnsafe(options.attemptTimeout ?? "10 seconds"),
  deadline: Duration.fromInputUnsafe(options.deadline ?? "30 seconds")
})

/** 4 attempts of at most 10 s, full jitter from 250 ms to 20 s, 30 s in all. */
export const standard: RetryPolicy = make()

/** One attempt of at most 10 s. */
export const none: RetryPolicy = make({ schedule: Schedule.recurs(0), deadline: "10 seconds" })

/** As `standard`, but waits so long for a trust that was just set up to spread (`--wait-propagation`). */
export const waitForTrust = (duration: Duration.Input): RetryPolicy =>
  make({
    schedule: backoff({ waitForTrust: duration }),
    deadline: Duration.sum(Duration.fromInputUnsafe(duration), standard.deadline)
  })

/**
 * Takes the place of every flow's own policy where it is provided. `Flow.cached` provides one for its background
 * refreshes, which get a single short attempt whatever stands between it and the network.
 */
export const Override = Context.Reference<RetryPolicy | undefined>(
  "@federate/core/RetryPolicy/Override",
  {
    defaultValue: () => undefined
  }
)

/** A back-off and its limits in one, as settings have them. The deadline grows with `waitForTrust` unless it is set. */
export const of = ({
  attemptTimeout,
  deadline,
  ...options
}: BackoffOptions & Omit<Options, "schedule">): RetryPolicy =>
  make({
    schedule: backoff(options),
    ...(attemptTimeout !== undefined && { attemptTimeout }),
    ...(deadline !== undefined
      ? { deadline }
      : options.waitForTrust !== undefined && {
          deadline: waitForTrust(options.waitForTrust).deadline
        })
  })
