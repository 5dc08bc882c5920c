/** A JWT as a table. */
import type { Assertion } from "@federate/core"
import { claimMeanings, headerMeanings, timeClaims } from "./claims.ts"
import { printable } from "./printable.ts"
import { out } from "./style.ts"
import { printDistance, printTime } from "./time.ts"

/** What came of checking the signature. */
export interface Verdict {
  readonly valid: boolean
  readonly detail: string
}

const bold = out("bold")
const dim = out("dim")
const green = out("green")
const red = out("red")

/** Header and claims, each with its meaning, and the verdict. */
export const table = (
  { claims, header }: Pick<Assertion.Assertion, "claims" | "header">,
  verdict: Verdict | undefined,
  now: number
): string =>
  [
    bold("Header"),
    ...rows(header, headerMeanings, now),
    bold("Claims"),
    ...rows(claims, claimMeanings, now),
    bold("Signature"),
    verdict === undefined
      ? `  not checked ${dim("(--verify fetches the issuer's keys and checks it)")}`
      : `  ${verdict.valid ? green("✓ valid") : red("✗ not valid")}: ${printable(verdict.detail)}`
  ].join("\n")

/** No column is wider, so that one long name or value does not push the others away. A GUID and a time fit. */
const widest = { name: 16, value: 40 }

const rows = (
  members: Readonly<Record<string, unknown>>,
  meanings: Readonly<Record<string, string>>,
  now: number
): ReadonlyArray<string> => {
  const cells = Object.entries(members).map(
    ([name, value]) =>
      [
        printable(name),
        print(name, value, now),
        Object.hasOwn(meanings, name) ? `  ${dim(`— ${meanings[name]}`)}` : ""
      ] as const
  )
  const nameWidth = width(
    cells.map(([name]) => name),
    widest.name
  )
  const valueWidth = width(
    cells.map(([, value]) => value),
    widest.value
  )
  return cells.flatMap(([name, value, meaning]) => {
    const rest = meaning === "" ? value : `${value.padEnd(valueWidth)}${meaning}`
    return name.length > nameWidth
      ? [`  ${name}`, `  ${"".padEnd(nameWidth)}  ${rest}`]
      : [`  ${name.padEnd(nameWidth)}  ${rest}`]
  })
}

/** As wide as the widest that is not too wide. */
const width = (texts: ReadonlyArray<string>, limit: number): number =>
  Math.max(0, ...texts.map(({ length }) => length).filter((length) => length <= limit))

const print = (name: string, value: unknown, now: number): string => {
  const time =
    timeClaims.has(name) && typeof value === "number" ? printTime(value * 1000) : undefined
  return time === undefined || typeof value !== "number"
    ? printable(typeof value === "string" ? value : JSON.stringify(value))
    : `${time} (${printDistance(value * 1000, now)})`
}
