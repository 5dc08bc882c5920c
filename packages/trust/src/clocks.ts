/** What the clocks of servers show, by the `Date` of their answers (RFC 9110 §6.6.1). */
import { RetryAfter } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Finding } from "./Finding.ts"
import { span } from "./told.ts"

/** One answer's. */
export interface ClockReading {
  /** Host and port. */
  readonly host: string
  /** By how much it is ahead of this machine's, in milliseconds; negative is behind. Exact to a second. */
  readonly ahead: number
}

export interface Clocks {
  /** The same `fetch`, whose answers' clocks are read along the way. */
  readonly fetch: Fetch
  /** What was read since this was last asked. */
  readonly readings: Effect.Effect<ReadonlyArray<ClockReading>>
}

export const watchClocks = Effect.fnUntraced(function* (fetch: Fetch): Effect.fn.Return<Clocks> {
  const clock = yield* Clock.Clock
  let read: Array<ClockReading> = []
  return {
    fetch: async (url, init) => {
      const sentAt = clock.currentTimeMillisUnsafe()
      const response = await fetch(url, init)
      const answeredAt = clock.currentTimeMillisUnsafe()
      const date = RetryAfter.parseDate(response.headers.get("date") ?? "")
      const host = URL.parse(url)?.host
      if (date !== undefined && host !== undefined) {
        // A date is of some moment within its second.
        read.push({ host, ahead: date + 500 - (sentAt + answeredAt) / 2 })
      }
      return response
    },
    readings: Effect.sync(() => {
      const taken = read
      read = []
      return taken
    })
  }
})

/** Clocks may disagree by so much, in milliseconds, before anybody minds. */
export const tolerance = 60_000

/** So far apart AWS takes no signature, and nobody an assertion; in milliseconds. */
const mostThatIsTaken = 5 * 60_000

/**
 * The clock that is furthest off; nothing when all agree.
 *
 * @param earlier what was read before: who is wrong where only one of them disagrees
 */
export const clockFinding = (
  readings: ReadonlyArray<ClockReading>,
  earlier: ReadonlyArray<ClockReading>
): Finding | undefined => {
  const [furthest] = readings.toSorted((one, other) => Math.abs(other.ahead) - Math.abs(one.ahead))
  if (furthest === undefined || Math.abs(furthest.ahead) <= tolerance) return undefined
  const { ahead, host } = furthest
  const agreeing = earlier.find((each) => Math.abs(each.ahead) <= tolerance)
  return {
    verdict: Math.abs(ahead) > mostThatIsTaken ? "wrong" : "risky",
    subject: "clock",
    what: `By its \`Date\`, the clock of ${host} is ${span(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} this machine's${agreeing === undefined ? "" : `, which agrees with that of ${agreeing.host}`}.`,
    why: "Assertions and signatures are good for minutes, and each side goes by its own clock.",
    fix:
      agreeing === undefined
        ? `Set this machine's clock by the network's, \`timedatectl set-ntp true\`; where it is right, that of ${host}.`
        : `Set the clock of ${host} by the network's, if it is yours; else this machine's and that of ${agreeing.host}: \`timedatectl set-ntp true\`.`
  }
}
