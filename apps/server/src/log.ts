/** The log: one JSON object a line, for what happens and for who got what. Never a token. */
import type { Audit, Handed } from "@federate/broker"
import * as Cause from "effect/Cause"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type { Lines } from "./lines.ts"

type Fields = Readonly<Record<string, unknown>>

const line = (time: Date, level: string, message: string, fields: Fields): string =>
  JSON.stringify({ time: time.toISOString(), level, message, ...fields })

/** The line that tells of lines which could not be written. */
export const lost = (count: number): string =>
  line(new Date(), "error", "Lines of this log could not be written", { lost: count })

/** What effects log, with their annotations as fields. */
export const logger = (lines: Lines): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    // Of what is no text nothing is told but that it was there: it may hold anything.
    const words = [message].flat().map((each) => (typeof each === "string" ? each : typeof each))
    lines.write(
      line(date, logLevel.toLowerCase(), words.join(" "), {
        ...fiber.getRef(References.CurrentLogAnnotations),
        ...(cause.reasons.length > 0 && fault(Cause.squash(cause)))
      })
    )
  })

/** A fault of the server's own. Not its message, which may quote what was being handled. */
export const fault = (defect: unknown): Fields =>
  defect instanceof Error
    ? { fault: defect.name, at: (defect.stack ?? "").split("\n").filter(isFrame).map(trim) }
    : { fault: typeof defect }

/** A place in a file: a message of several lines does not pass for one. */
const isFrame = (text: string): boolean => /^ {4}at .*:\d+:\d+\)?$/.test(text)
const trim = (text: string): string => text.trim()

/** Tells a fault that no effect has caught. */
export const tellFault = (lines: Lines, defect: unknown): void =>
  lines.write(
    line(new Date(), "error", "A fault of the server's own; it goes on serving", fault(defect))
  )

/**
 * Tells every credential that was handed out, and every refusal, whatever the log's level. What is the same for each time
 * that a credential is handed out is encoded once.
 */
export const audit = (lines: Lines): Audit => {
  const known = new WeakMap<Handed, Map<string, Uint8Array>>()
  let millisecond = 0
  let head: Uint8Array = Buffer.of()
  const opened = (): Uint8Array => {
    const time = Date.now()
    if (time !== millisecond) {
      millisecond = time
      head = Buffer.from(`{"time":"${new Date(time).toISOString()}","level":"info","message":`)
    }
    return head
  }
  /** Without the brace that opens them. */
  const members = (fields: Fields): string => JSON.stringify(fields).slice(1)

  return {
    handed: (caller, handed) => {
      let lineOf = known.get(handed)
      if (lineOf === undefined) known.set(handed, (lineOf = new Map()))
      let rest = lineOf.get(caller)
      if (rest === undefined) {
        const { expiresAt, ...about } = handed
        const expires = new Date(expiresAt).toISOString()
        rest = Buffer.from(
          `"handed out",${members({ audit: "handed", ...about, expiresAt: expires, caller })}`
        )
        lineOf.set(caller, rest)
      }
      lines.write(opened(), rest)
    },
    refused: (caller, { message, ...about }) => {
      const fields = { audit: "refused", ...about, reason: message, caller }
      lines.write(opened(), `"refused",${members(fields)}`)
    }
  }
}
