/** `retry:` and `refresh:`. */
import { RefreshPolicy, RetryPolicy } from "@federate/core"
import { DurationFromText } from "@federate/schema"
import * as Schema from "effect/Schema"

const between = (minimum: number, maximum: number) => Schema.isBetween({ minimum, maximum })

export const Retry = Schema.Struct({
  attempts: Schema.optionalKey(
    Schema.Int.annotate({ description: "In all, the first included; 4 without it" }).check(
      between(1, 20)
    )
  ),
  firstDelay: Schema.optionalKey(
    DurationFromText("The longest first pause, doubling each time; 250 ms without it")
  ),
  maximumDelay: Schema.optionalKey(DurationFromText("The longest pause; 20 s without it")),
  attemptTimeout: Schema.optionalKey(
    DurationFromText("How long one attempt may take; 10 s without it")
  ),
  deadline: Schema.optionalKey(DurationFromText("How long all of them may take; 30 s without it")),
  waitForTrust: Schema.optionalKey(
    DurationFromText(
      "How long to wait for a trust that was just set up; two quick tries without it"
    )
  )
}).annotate({ description: "How a flow tries again" })

export const retryPolicy = (retry: typeof Retry.Type): RetryPolicy.RetryPolicy =>
  RetryPolicy.of(retry)

export const Refresh = Schema.Struct({
  freshPart: Schema.optionalKey(
    Schema.Finite.annotate({
      description: "The part of its life that a credential is fresh for; 0.75 without it"
    }).check(between(0, 0.9))
  ),
  freshPartOfLong: Schema.optionalKey(
    Schema.Finite.annotate({
      description: "The same for one that lives longer than two hours; 0.5 without it"
    }).check(between(0, 0.9))
  ),
  jitter: Schema.optionalKey(
    Schema.Finite.annotate({
      description:
        "How much earlier it is refreshed at random, as a part of its life; 0.1 without it"
    }).check(between(0, 0.5))
  ),
  margin: Schema.optionalKey(
    DurationFromText(
      "How long before its end callers wait for a new one; a tenth of its life at most, 60 s without it"
    )
  ),
  patience: Schema.optionalKey(DurationFromText("How long they wait then; 1 s without it")),
  backgroundTimeout: Schema.optionalKey(
    DurationFromText("How long a background refresh may take; 5 s without it")
  )
}).annotate({ description: "When a credential is refreshed" })

export const refreshPolicy = (refresh: typeof Refresh.Type): RefreshPolicy.RefreshPolicy =>
  RefreshPolicy.make(refresh)
