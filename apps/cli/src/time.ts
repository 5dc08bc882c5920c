/** Times as people read them. */

/** `2026-11-23 05:12:00 UTC`; nothing when there is no such time. */
export const printTime = (milliseconds: number): string | undefined => {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime())
    ? undefined
    : `${date.toISOString().replace("T", " ").slice(0, -5)} UTC`
}

const units = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** `12 min`, `1 h 59 min`, `2 days`: the largest unit that fits; with hours the minutes too. */
export const printSpan = (milliseconds: number): string => {
  const [unit, size] = units.find(([, each]) => milliseconds >= each) ?? units[3]
  const count = Math.floor(milliseconds / size)
  if (unit === "day") return `${count} day${count === 1 ? "" : "s"}`
  const minutes = unit === "h" ? Math.floor((milliseconds % size) / 60_000) : 0
  return minutes === 0 ? `${count} ${unit}` : `${count} ${unit} ${minutes} min`
}

/** `in 12 min`, `3 h ago`, `now`. */
export const printDistance = (milliseconds: number, now: number): string => {
  const distance = milliseconds - now
  if (Math.abs(distance) < 1000) return "now"
  return distance > 0 ? `in ${printSpan(distance)}` : `${printSpan(-distance)} ago`
}

/** RFC 3339 in UTC, whole seconds: `2026-11-23T05:12:00Z`. */
export const rfc3339 = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, -5)}Z`
