/** An assertion held against a trust record, claim by claim. */
import type { Assertion } from "@federate/core"
import { difference } from "./difference.ts"
import type { Difference } from "./difference.ts"
import { like } from "./like.ts"
import type { Demand, TrustRecord } from "./RelyingParty.ts"

/** One demand, and what the assertion says to it. */
export interface Comparison {
  readonly demand: Demand
  /** The claim that was looked at: `demand.claim`, or `demand.instead`. */
  readonly claim: string
  /** Empty when the assertion has no such claim. */
  readonly presented: ReadonlyArray<string>
  /** `unknown` where only the other side can tell. */
  readonly verdict: "agrees" | "differs" | "unknown"
  /** Between the pair of values that come nearest; absent unless there is one. */
  readonly nearest?: {
    readonly presented: string
    readonly expected: string
    readonly difference: Difference
  }
}

/** A record with what came of it. */
export interface Held {
  readonly record: TrustRecord
  readonly comparisons: ReadonlyArray<Comparison>
}

/** Holds what the assertion says of itself, unverified, against each demand of a record. */
export const compare = (
  assertion: Pick<Assertion.Assertion, "claims">,
  record: TrustRecord
): Held => ({
  record,
  comparisons: record.demands.map((demand) => held(assertion.claims, demand))
})

/** Whether nothing differs; what cannot be told here does not count. */
export const isMet = ({ comparisons }: Held): boolean =>
  comparisons.every(({ verdict }) => verdict !== "differs")

/** The record that comes nearest to taking the assertion; nothing when there is none. */
export const nearest = (
  assertion: Pick<Assertion.Assertion, "claims">,
  records: ReadonlyArray<TrustRecord>
): Held | undefined =>
  records
    .map((record) => compare(assertion, record))
    .toSorted((one, other) => strangeness(one) - strangeness(other))[0]

const held = (claims: Assertion.Assertion["claims"], demand: Demand): Comparison => {
  const claim =
    demand.instead !== undefined && Object.hasOwn(claims, demand.instead)
      ? demand.instead
      : demand.claim
  const presented = texts(Object.hasOwn(claims, claim) ? claims[claim] : undefined)
  if (demand.by === "unreadable") return { demand, claim, presented, verdict: "unknown" }
  if (presented.some((value) => demand.expected.some((wanted) => fits(demand.by, value, wanted)))) {
    return { demand, claim, presented, verdict: "agrees" }
  }
  const [pair] = presented
    .flatMap((value) =>
      demand.expected.flatMap((expected) => {
        const found = difference(value, expected)
        if (found === undefined) return []
        const meaning =
          found.meaning ?? misreading(claims, { by: demand.by, claim, value, expected })
        return [
          {
            presented: value,
            expected,
            difference: { ...found, ...(meaning !== undefined && { meaning }) }
          }
        ]
      })
    )
    .toSorted((one, other) => size(one.difference) - size(other.difference))
  return {
    demand,
    claim,
    presented,
    verdict: "differs",
    ...(pair !== undefined && { nearest: pair })
  }
}

/** What a pair of texts means by the rule that it is held to, and beside the other claims. */
const misreading = (
  claims: Assertion.Assertion["claims"],
  {
    by,
    claim,
    expected,
    value
  }: Pick<Demand, "by" | "claim"> & { readonly value: string; readonly expected: string }
): string | undefined => {
  if (by === "equals" && expected.includes("*") && like(expected).test(value)) {
    return "As a pattern it would fit; but it is taken to the letter there, and its * stands for nothing but itself."
  }
  const other = Object.keys(claims).find(
    (name) => name !== claim && texts(claims[name]).includes(expected)
  )
  return other === undefined ? undefined : `The trust has the token's \`${other}\` there.`
}

/** As relying parties see it: each member of a list by itself, what is no text by its JSON. */
const texts = (value: unknown): ReadonlyArray<string> =>
  value === undefined
    ? []
    : (Array.isArray(value) ? value : [value]).map((each: unknown) =>
        typeof each === "string" ? each : JSON.stringify(each)
      )

const fits = (by: Demand["by"], value: string, wanted: string): boolean => {
  switch (by) {
    case "equals":
      return value === wanted
    case "equalsIgnoringCase":
      return value.toLowerCase() === wanted.toLowerCase()
    case "like":
      return like(wanted).test(value)
    case "atMostBytes":
      return new TextEncoder().encode(value).length <= Number(wanted)
    case "unreadable":
      return false
  }
}

const size = ({ expected, presented }: Difference): number =>
  presented.end - presented.start + (expected.end - expected.start)

/** One claim that differs weighs more than any difference within claims. */
const strangeness = ({ comparisons }: Held): number =>
  comparisons.reduce(
    (sum, { nearest: pair, verdict }) =>
      sum + (verdict === "differs" ? 1e6 + (pair === undefined ? 1e5 : size(pair.difference)) : 0),
    0
  )
