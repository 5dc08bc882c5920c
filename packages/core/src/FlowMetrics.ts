/**
 * The vocabulary of metrics. Flights and retries count as they happen; hits and the time to expiry stand in a flow's
 * `entries` and are written when somebody looks ({@link observe}), so that a hit costs nothing.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Credential } from "./Credential.ts"
import type { Flow, FlowEntry } from "./Flow.ts"

/** Credentials handed out before their soft point. Attribute: `flow`. */
export const hits = Metric.counter("federate_hits", {
  description: "Credentials handed out from memory before their soft point",
  incremental: true
})

/**
 * Fetches of a credential. Attributes: `flow`, `mode` (`blocking`, `background`), `outcome` (`success`, `interrupted`,
 * `defect`, or the tag of the error's reason).
 */
export const flights = Metric.counter("federate_flights", {
  description: "Fetches of a credential, with all their attempts",
  incremental: true
})

/** Attempts made again. Attributes: `flow`, `reason` (the tag of what the attempt before failed with). */
export const retries = Metric.counter("federate_retries", {
  description: "Attempts made again",
  incremental: true
})

/** How long the credential in memory still lives, in seconds. Attributes: `flow`, `key` (`TokenRequest.key`). */
export const secondsToExpiry = Metric.gauge("federate_seconds_to_expiry", {
  description: "How long the credential in memory still lives"
})

const reported = new WeakMap<FlowEntry<Credential>, number>()

/** Keys with a time to expiry, as written last. */
const timed = new WeakMap<Flow<Credential>, ReadonlySet<string>>()

/**
 * Writes what stands in the flow's entries into the metrics: to be run just before they are scraped or exported. The time
 * to expiry of what the flow has forgotten is taken out of them.
 */
export const observe = Effect.fnUntraced(function* (flow: Flow<Credential>) {
  const expiry = (key: string) => Metric.withAttributes(secondsToExpiry, { flow: flow.name, key })
  const present = new Set<string>()
  for (const [key, entry] of flow.entries) {
    const { age, hits: count, points } = entry
    yield* Metric.update(
      Metric.withAttributes(hits, { flow: flow.name }),
      count - (reported.get(entry) ?? 0)
    )
    reported.set(entry, count)
    if (age !== undefined && points !== undefined) {
      present.add(key)
      yield* Metric.update(expiry(key), Math.max(0, (points.life - age) / 1000))
    }
  }
  // Callers may choose what they ask for: a series for each, for ever, would grow without end.
  for (const key of timed.get(flow) ?? []) {
    if (!present.has(key)) yield* Metric.remove(expiry(key))
  }
  timed.set(flow, present)
})
