/** A trust as code: what `apply` would make, for who may not. */
import type { Known, Part } from "../Resource.ts"
import { cdk } from "./cdk.ts"
import { cloudFormation } from "./cloudFormation.ts"
import { namesIn, reference } from "./reference.ts"
import { shell } from "./shell.ts"
import { terraform } from "./terraform.ts"
import type { Fragments, Writer, Written } from "./Writer.ts"

/** In which languages; what tools take them. */
export const languages = ["terraform", "cloudformation", "cdk", "aws-cli", "az"] as const
export type Language = (typeof languages)[number]

export interface Emitted {
  /** The flow's name. */
  readonly flow: string
  readonly parts: ReadonlyArray<Part>
  /** Names that are known from the start: what would make them is there already. */
  readonly known: Known
  readonly writers: ReadonlyArray<Writer>
}

/** A part with what it is in the language. */
interface Fragment<Of> {
  readonly part: Written & { readonly kind: string }
  readonly of: Of
}

/** What a language is given. */
export interface Document<Of> {
  /** What stands above it, as lines without a comment's marks. */
  readonly header: ReadonlyArray<string>
  readonly fragments: ReadonlyArray<Fragment<Of>>
  /** Names that nothing in it makes, each with how to come by it. */
  readonly inputs: ReadonlyArray<{ readonly name: string; readonly hint: string }>
  readonly known: Known
  /** What this side of the trust is asked for. */
  readonly outputs: ReadonlyArray<string>
}

/**
 * Writes the desired state of every part that the language can say, in the order in which they are made: nothing is
 * called, nothing is read, and nothing secret stands in it. What must be there first, or is another tool's, is a
 * variable that says how to come by its value.
 */
export const emit = (given: Emitted, language: Language): string => {
  switch (language) {
    case "terraform":
      return terraform(documentOf(given, language, "terraform"))
    case "cloudformation":
      return cloudFormation(documentOf(given, language, "cloudformation"))
    case "cdk":
      return cdk(documentOf(given, language, "cloudformation"))
    case "aws-cli":
      return shell(documentOf(given, language, "aws-cli"))
    case "az":
      return shell(documentOf(given, language, "az"))
  }
}

const documentOf = <Key extends keyof Fragments>(
  { flow, known, parts, writers }: Emitted,
  language: Language,
  key: Key
): Document<Fragments[Key]> => {
  const writerOf = ({ kind, side }: Part) =>
    writers.find((each) => each.side === side && each.kind === kind)
  const open = parts.filter(({ makes }) => !makes.some((name) => known[name] !== undefined))
  const labels = new Map<string, number>()
  const rest: Array<Part> = []
  const fragments = open.flatMap((part): ReadonlyArray<Fragment<Fragments[Key]>> => {
    const base = part.kind.toLowerCase().replace(/[^a-z0-9]+/g, "_")
    const count = (labels.get(base) ?? 0) + 1
    const written: Written = {
      name: part.name,
      state: "desired" in part ? part.desired(reference) : {},
      makes: part.makes,
      of: reference,
      label: count === 1 ? base : `${base}_${count}`
    }
    const of = writerOf(part)?.in[key]?.(written)
    if (of === undefined) {
      if ("desired" in part) rest.push(part)
      return []
    }
    labels.set(base, count)
    return [{ part: { ...written, kind: part.kind }, of }]
  })
  const made = new Set(fragments.flatMap(({ of }) => madeBy(of)))
  const needed = new Set(fragments.flatMap(({ of }) => namesIn(of)))
  return {
    header: [
      `The trust of the flow "${flow}", as \`federate trust emit ${flow} --as ${language}\` writes it.`,
      checked[language],
      ...rest.map(({ kind, name, side }, index) =>
        index === 0
          ? `Not in it, as ${language} cannot say it: ${side}'s ${kind} "${name}"`
          : `  and ${side}'s ${kind} "${name}"`
      ),
      ...(rest.length === 0 ? [] : [fitting(rest, writerOf, language)])
    ],
    fragments,
    inputs: [...needed]
      .filter((name) => !made.has(name) && known[name] === undefined)
      .map((name) => ({ name, hint: hintOf(name, flow) })),
    known,
    outputs: [...made].filter((name) => claims.has(name))
  }
}

/** What was held against what; the tool itself was not asked. */
const checked: Readonly<Record<Language, string>> = {
  terraform:
    "Its syntax is checked by federate's tests; nothing there could ask the providers: run `terraform plan` first.",
  cloudformation:
    "Its types and references are checked by federate's tests, against aws-cdk-lib; nothing there could ask AWS.",
  cdk: "It is compiled and synthesized by federate's tests; nothing there could deploy it.",
  "aws-cli":
    "Its syntax is checked by federate's tests, and its options by the tool's own help; nothing there could ask AWS. Run it once.",
  az: "Its syntax is checked by federate's tests, and its options by the tool's own help; nothing there could ask Azure. Run it once, signed in (`az login`)."
}

/** Which language says what is missing. */
const fitting = (
  rest: ReadonlyArray<Part>,
  writerOf: (part: Part) => Writer | undefined,
  language: Language
): string => {
  const others = languages.filter(
    (each) =>
      each !== language &&
      each !== "cdk" &&
      rest.every((part) => writerOf(part)?.in[each] !== undefined)
  )
  return others.length === 0
    ? "Make it by hand, or by `federate trust apply`."
    : `These can: --as ${others.join(", --as ")}.`
}

const claims: ReadonlyMap<string, string> = new Map([
  ["iss", "issuer"],
  ["sub", "subject"],
  ["aud", "audience"]
])

/** How to come by a value that nobody can know beforehand. */
const hintOf = (name: string, flow: string): string => {
  const claim = claims.get(name)
  return claim === undefined
    ? `The ${name} of what is there already`
    : `The assertion's ${claim} (${name}). It is known once the workload has its first one: \`federate inspect\` shows it of a token; a flow of the source alone, without the exchanger of "${flow}", hands one out`
}

const madeBy = (of: Fragments[keyof Fragments]): ReadonlyArray<string> =>
  Array.isArray(of)
    ? of.flatMap((step) => (step.sets === undefined ? [] : [step.sets]))
    : Object.keys((of as Fragments["terraform"] | Fragments["cloudformation"]).makes)
