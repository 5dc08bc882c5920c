/** A point in time, described. */
import * as Schema from "effect/Schema"

export const Timestamp = Schema.String.annotate({
  format: "date-time",
  examples: ["2026-01-31T12:00:00Z"]
})
