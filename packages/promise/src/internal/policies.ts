/** Plain settings of when to try again and when to refresh, as core's policies. */
import { FederationError, Misconfigured, RefreshPolicy, RetryPolicy } from "@federate/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RefreshOptions, RetryOptions } from "../Flow.ts"

interface Check {
  readonly wanted: string
  readonly holds: (value: unknown) => boolean
}

const duration: Check = {
  wanted: `milliseconds, or a number and its unit: "5 seconds"`,
  holds: (value) =>
    Option.exists(
      // Whatever it is: nothing is none.
      Duration.fromInput(value as Duration.Input),
      (length) => Duration.isFinite(length) && Duration.toMillis(length) >= 0
    )
}

const count: Check = {
  wanted: "a whole number, 1 at least",
  holds: (value) => Number.isInteger(value) && Number(value) >= 1
}

const partUpTo = (most: number): Check => ({
  wanted: `a number from 0 to ${most}`,
  holds: (value) => typeof value === "number" && value >= 0 && value <= most
})

const retryChecks: Record<keyof RetryOptions, Check> = {
  attempts: count,
  firstDelay: duration,
  maximumDelay: duration,
  attemptTimeout: duration,
  deadline: duration,
  waitForTrust: duration
}

const refreshChecks: Record<keyof RefreshOptions, Check> = {
  freshPart: partUpTo(0.9),
  freshPartOfLong: partUpTo(0.9),
  jitter: partUpTo(0.5),
  margin: duration,
  patience: duration,
  backgroundTimeout: duration
}

export const retryPolicy = (options: RetryOptions) =>
  Effect.map(checked("retry", options, retryChecks), RetryPolicy.of)

export const refreshPolicy = (options: RefreshOptions) =>
  Effect.map(checked("refresh", options, refreshChecks), RefreshPolicy.make)

/** The types say the same; what comes from JavaScript or the environment has passed none. */
const checked = <Options extends object>(
  name: string,
  options: Options,
  checks: Record<keyof Options, Check>
): Effect.Effect<Options, FederationError> => {
  for (const [key, value] of Object.entries(options)) {
    // An unknown key has no check.
    const check: Check | undefined = checks[key as keyof Options]
    if (value === undefined || check?.holds(value) === true) continue
    return Effect.fail(
      new FederationError({
        adapter: "flow",
        stage: "configuration",
        reason: new Misconfigured({
          setting: `${name}.${key}`,
          problem: check === undefined ? "is not known" : `is ${String(value)}`,
          hint:
            check === undefined
              ? `There are ${Object.keys(checks).join(", ")}.`
              : `It is ${check.wanted}.`
        })
      })
    )
  }
  return Effect.succeed(options)
}
