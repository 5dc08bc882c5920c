/** How lengths of time are written. */

/** Milliseconds, or a number and its unit: `"5 minutes"`. */
export type Duration =
  | number
  | `${number} ${"milli" | "second" | "minute" | "hour" | "day"}${"" | "s"}`
