/** A point in time as the API writes it: RFC 3339, in UTC, to the second. */
import * as Schema from "effect/Schema"

export const Timestamp = Schema.String.annotate({
  format: "date-time",
  examples: ["2026-01-31T12:00:00Z"]
})

/** @param milliseconds of the epoch */
export const timestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
