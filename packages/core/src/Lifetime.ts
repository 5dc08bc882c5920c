/** The one parser of lifetimes, such as `expires_in` (RFC 6749 §5.1). */
import * as Result from "effect/Result"

/** No token that is worth the name lives longer: 30 days, in milliseconds. */
export const limit = 30 * 24 * 3_600_000

/**
 * A lifetime told in seconds, as milliseconds. A number, or a string of digits (some servers quote it). Absent, zero,
 * negative, not finite, over {@link limit} or anything else is a failure that says what was wrong.
 *
 * @param field the field's name, for the failure's text
 */
export const parse = (field: string, value: unknown): Result.Result<number, string> => {
  if (value === undefined || value === null) return Result.fail(`${field} is absent`)
  const seconds =
    typeof value === "number"
      ? value
      : typeof value === "string" && /^\d{1,15}$/.test(value)
        ? Number(value)
        : Number.NaN
  if (Number.isNaN(seconds)) return Result.fail(`${field} is not a number of seconds`)
  if (seconds <= 0) return Result.fail(`${field} is not positive`)
  if (seconds * 1000 > limit) return Result.fail(`${field} is over ${limit / 86_400_000} days`)
  return Result.succeed(seconds * 1000)
}
