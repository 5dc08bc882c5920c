/** Durations as people write them. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

const units: Readonly<Record<string, number>> = {
  ms: 1,
  milli: 1,
  millisecond: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000
}

const part = /(\d+(?:\.\d+)?)\s*([a-z]+)/g
const whole = /^(?:\s*\d+(?:\.\d+)?\s*[a-z]+)+\s*$/

/** What is taken for a duration, for messages. */
const expected = "a duration with its unit, such as 90s, 2 minutes, 1h 30m"

/** Reads `90s`, `2 minutes`, `1h 30m`: numbers with units, which are added up. A number alone has no meaning. */
export const parseDuration = (text: string): Result.Result<Duration.Duration, string> => {
  const lower = text.toLowerCase()
  if (!whole.test(lower)) return Result.fail(expected)
  let milliseconds = 0
  for (const [, amount, name] of lower.matchAll(part)) {
    const unit = units[name!] ?? units[name!.replace(/s$/, "")]
    if (unit === undefined) return Result.fail(expected)
    milliseconds += Number(amount) * unit
  }
  return Result.succeed(Duration.millis(milliseconds))
}

/**
 * A `Duration` in a document.
 *
 * @param description what an editor shows; it stands on the text, where a JSON Schema has its descriptions
 */
export const DurationFromText = (description: string) =>
  Schema.String.annotate({
    description,
    examples: ["90s", "2 minutes", "1h 30m"],
    message: `Expected ${expected}`
  }).pipe(
    Schema.decodeTo(
      Schema.Duration,
      SchemaTransformation.transformEffect({
        decode: (text, options) =>
          Result.match(parseDuration(text), {
            onFailure: () => Effect.fail(new SchemaIssue.InvalidValue({ expected }, text, options)),
            onSuccess: (duration) => Effect.succeed(duration)
          }),
        encode: (duration) => Effect.succeed(`${Duration.toMillis(duration)} ms`)
      })
    )
  )
