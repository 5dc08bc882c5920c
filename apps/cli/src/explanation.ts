/** An explanation, for people: each finding with its fix, and both sides of a comparison with the difference marked. */
import type { Comparison, Explanation, Finding, Range } from "@federate/trust"
import { printable } from "./printable.ts"
import { out } from "./style.ts"

const bold = out("bold")
const dim = out("dim")
const red = out("red")

const marks: { readonly [Verdict in Finding["verdict"]]: string } = {
  right: out("green")("✓"),
  wrong: red("✗"),
  risky: out("yellow")("!"),
  unknown: out("yellow")("?"),
  note: dim("·")
}

/** The lines. */
export const explanation = ({ findings, issuer, trust }: Explanation): ReadonlyArray<string> => [
  ...(issuer === undefined ? [] : [`${dim("token")}  by ${issuer}`]),
  ...(trust === undefined
    ? []
    : [
        `${dim("trust")}  ${trust.party}: ${trust.kind}${trust.name === undefined ? "" : ` ${printable(trust.name)}`}`
      ]),
  ...findings.flatMap(linesOf)
]

/** One finding. */
export const linesOf = ({
  comparison,
  fix,
  subject,
  verdict,
  what,
  why
}: Finding): ReadonlyArray<string> => [
  `${marks[verdict]} ${bold(printable(subject))}  ${printable(what)}`,
  ...(comparison === undefined ? [] : sides(comparison)),
  ...field("why", why),
  ...field("fix", fix)
]

const field = (name: string, value: string | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : [`    ${dim(name.padEnd(5))}  ${printable(value)}`]

const sides = ({ demand, nearest, presented, verdict }: Comparison): ReadonlyArray<string> => {
  const wanted = demand.expected.map(printable).join(", ")
  if (nearest === undefined) {
    return verdict === "agrees"
      ? field("both", presented.map(printable).join(", "))
      : [
          ...field(
            "token",
            presented.length === 0 ? undefined : presented.map(printable).join(", ")
          ),
          ...field("trust", wanted)
        ]
  }
  const { difference, expected } = nearest
  return [
    ...marked("token", nearest.presented, difference.presented),
    ...marked("trust", expected, difference.expected)
  ]
}

/** The text, and under it what the other side has not. */
const marked = (name: string, text: string, { end, start }: Range): ReadonlyArray<string> => [
  ...field(name, visible(text)),
  // One mark at least: the other side has more just there.
  `    ${"".padEnd(5)}  ${red("".padEnd(start) + "^".repeat(Math.max(1, end - start)))}`
]

/** A blank or a line's end at an end would not be seen, and each takes one column. */
const visible = (text: string): string =>
  text.replace(/[\s\u00ad\u180e\u200b-\u200f\u2060\ufeff]/g, (blank) => (blank === " " ? "␣" : "�"))
