/** A plan, and what was done of it, for people and for machines. */
import type { Change, Interrupted, MemberChange, Part, Progress } from "@federate/trust"
import * as Console from "effect/Console"
import { printable } from "./printable.ts"
import { json as failureAsJson } from "./report.ts"
import { err, out } from "./style.ts"

type Stream = typeof out

/** Marks as other planners have them. */
const marks = {
  none: "=",
  create: "+",
  update: "~",
  remove: "-",
  keep: "=",
  later: "?",
  unknown: "✗"
} as const satisfies { readonly [Action in Change["action"]]: string }

const colours = {
  none: "dim",
  create: "green",
  update: "yellow",
  remove: "red",
  keep: "dim",
  later: "dim",
  unknown: "red"
} as const satisfies { readonly [Action in Change["action"]]: Parameters<Stream>[0] }

const notes: { readonly [Action in Change["action"]]?: string } = {
  keep: "was not made by this flow, and is kept",
  later: "is asked for once what comes before it is there",
  unknown: "is not known"
}

/** As wide as the longest of the kinds that there are. */
const kindWidth = 20

/** What is to be done, side by side with its members: from → to. */
export const planned = (changes: ReadonlyArray<Change>, stream: Stream): ReadonlyArray<string> => {
  const sides = [...new Set(changes.map(({ side }) => side))]
  const open = changes.some(({ members }) =>
    members.some(({ to }) => JSON.stringify(to ?? null).includes("${"))
  )
  return [
    ...sides.flatMap((side) => [
      stream("bold")(side),
      ...changes.filter((change) => change.side === side).flatMap((change) => one(change, stream))
    ]),
    ...(open ? [stream("dim")("${…} is known once what it is of is made.")] : []),
    summary(changes)
  ]
}

const one = (change: Change, stream: Stream): ReadonlyArray<string> => {
  const { action, error, known, kind, members, name } = change
  const mark = stream(colours[action])(marks[action])
  const note =
    notes[action] ??
    // What is asked for is what others are made of.
    (action === "none" && members.length === 0 && kind === "assertion"
      ? Object.entries(known)
          .map(([key, value]) => `${key} ${printable(value)}`)
          .join("  ")
      : undefined)
  return [
    `  ${mark} ${kind.padEnd(kindWidth)} ${printable(name)}${note === undefined ? "" : `  ${stream("dim")(note)}`}`,
    ...members.map((member) => `      ${memberLine(member, action)}`),
    ...(error === undefined ? [] : reasons(error.message, stream))
  ]
}

const reasons = (message: string, stream: Stream): ReadonlyArray<string> =>
  message.split("\n").map((line) => `      ${stream("red")(printable(line))}`)

const memberLine = ({ from, member, to }: MemberChange, action: Change["action"]): string =>
  action === "create" || from === undefined
    ? `${member}  ${shown(to)}`
    : `${member}  ${shown(from)} → ${shown(to)}`

const shown = (value: unknown): string =>
  value === undefined
    ? "nothing"
    : printable(typeof value === "string" ? value : JSON.stringify(value))

const words = {
  create: "to make",
  update: "to change",
  remove: "to remove",
  none: "as they should be",
  keep: "kept",
  later: "to be asked for",
  unknown: "not known"
} as const satisfies { readonly [Action in Change["action"]]: string }

const summary = (changes: ReadonlyArray<Change>): string => {
  const counts = Object.entries(words).flatMap(([action, word]) => {
    const count = changes.filter((change) => change.action === action).length
    return count === 0 ? [] : [`${count} ${word}`]
  })
  return isSettled(changes)
    ? "Both halves are as they should be: there is nothing to do."
    : `${counts.join(", ")}.`
}

/** Whether nothing is to be done. */
export const isSettled = (changes: ReadonlyArray<Change>): boolean =>
  changes.every(({ action }) => action === "none")

const pastWords = {
  create: "made",
  update: "changed",
  remove: "removed",
  keep: "kept",
  none: "as it should be"
} as const

/** Tells of a run on standard error, as it goes on. */
export const told = (progress: Progress) =>
  Console.error(
    progress._tag === "Done"
      ? done(progress.change)
      : err("dim")(
          `… waiting for ${progress.part.side}: ${progress.part.kind} ${printable(progress.part.name)}: ${printable(progress.error.message)}`
        )
  )

const done = ({ action, kind, name }: Change): string => {
  const word = action === "later" || action === "unknown" ? action : pastWords[action]
  const mark = err(colours[action])(action === "keep" || action === "none" ? "=" : "✓")
  const why = action === "keep" ? err("dim")("  it was not made by this flow") : ""
  return `${mark} ${kind} ${printable(name)}: ${word}${why}`
}

/** What is true on each side after the writes were broken off. */
export const brokenOff = (
  parts: ReadonlyArray<Part>,
  { at }: Interrupted
): ReadonlyArray<string> => {
  const failed = parts.indexOf(at)
  return parts.map(({ kind, name, side }, index) => {
    const state =
      index < failed ? "as it should be" : index === failed ? "failed, see below" : "not touched"
    return `  ${side}: ${kind} ${printable(name)}: ${state}`
  })
}

/** The same for machines. */
export const asJson = ({ error, ...change }: Change): Readonly<Record<string, unknown>> => ({
  ...change,
  ...(error !== undefined && { error: failureAsJson(error) })
})
