/** Times as people read them. */

/** `2026-11-23 05:12:00 UTC`. */
export const printTime = (milliseconds: number): string => {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime())
    ? "no time"
    : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`
}

const units = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** `12 min`, `3 h`, `2 days`: the largest unit that fits. */
export const printSpan = (milliseconds: number): string => {
  const span = Math.abs(milliseconds)
  for (const [unit, size] of units) {
    if (span < size && unit !== "s") continue
    const count = Math.floor(span / size)
    return unit === "day" ? `${count} day${count === 1 ? "" : "s"}` : `${count} ${unit}`
  }
  return "0 s"
}

/** `in 12 min`, `3 h ago`. */
export const printDistance = (milliseconds: number, now: number): string =>
  milliseconds >= now
    ? `in ${printSpan(milliseconds - now)}`
    : `${printSpan(now - milliseconds)} ago`
