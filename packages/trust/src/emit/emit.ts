/** A trust as code: what `apply` would make, for who may not. */
import type { FederationError } from "@federate/core"
import * as Effect from "effect/Effect"
import type { Known, Part, Reference } from "../Resource.ts"
import { cdk } from "./cdk.ts"
import { cloudFormation } from "./cloudFormation.ts"
import { namesIn, reference } from "./reference.ts"
import { shell } from "./shell.ts"
import { terraform } from "./terraform.ts"
import type { Fragments, Step, Writer, Written } from "./Writer.ts"

/** In which languages; what tools take them. */
export const languages = ["terraform", "cloudformation", "cdk", "aws-cli", "az", "gcloud"] as const
export type Language = (typeof languages)[number]

export interface Emitted {
  /** The flow's name. */
  readonly flow: string
  readonly parts: ReadonlyArray<Part>
  /** Settings that are known from the start, under their own names: what makes one of them is there already. */
  readonly known: Known
  /** Settings that become known by it: the workload is to be told. */
  readonly learns: ReadonlyArray<string>
  readonly writers: ReadonlyArray<Writer>
}

/** A part with what it is in the language. */
interface Fragment<Of> {
  readonly part: Part
  /** What it is called in the code: a word of small letters, digits and `_`. */
  readonly label: string
  readonly of: Of
}

/** What a language is given. */
export interface Document<Of> {
  /** What stands above it, as lines without a comment's marks. */
  readonly header: ReadonlyArray<string>
  readonly fragments: ReadonlyArray<Fragment<Of>>
  /** Names that nothing in it makes, each with how to come by it, and what it mostly is. */
  readonly inputs: ReadonlyArray<{
    readonly name: string
    readonly hint: string
    readonly usual?: string | undefined
  }>
  /** What the other side of the trust, or the workload, is to be told. */
  readonly outputs: ReadonlyArray<string>
}

/**
 * Writes the desired state of every part that the language can say, in the order in which they are made: nothing is
 * called, nothing is read, and nothing secret stands in it. What must be there first, or is another tool's, is a
 * variable that says how to come by its value.
 */
export const emit = Effect.fnUntraced(function* (
  given: Emitted,
  language: Language
): Effect.fn.Return<string, FederationError> {
  switch (language) {
    case "terraform":
      return terraform(yield* documentOf(given, language, "terraform"))
    case "cloudformation":
      return cloudFormation(yield* documentOf(given, language, "cloudformation"))
    case "cdk":
      return cdk(yield* documentOf(given, language, "cloudformation"))
    case "aws-cli":
    case "az":
    case "gcloud":
      return shell(yield* documentOf(given, language, language))
  }
})

const documentOf = Effect.fnUntraced(function* <Key extends keyof Fragments>(
  { flow, known, learns, parts, writers }: Emitted,
  language: Language,
  key: Key
): Effect.fn.Return<Document<Fragments[Key]>, FederationError> {
  const writerOf = ({ kind, side }: Part) =>
    writers.find((each) => each.side === side && each.kind === kind)
  const foreseen = yield* foresee(parts, known)
  const open = parts.filter(
    (part) =>
      !part.makes.some(
        (name) => known[name] !== undefined || ("desired" in part && foreseen[name] !== undefined)
      )
  )
  const fragmentsIn = (of: Reference): ReadonlyArray<Fragment<Fragments[Key]>> =>
    labelled(open).flatMap(({ label, part }) => {
      const state = "desired" in part ? part.desired(of) : {}
      const written: Written = {
        name: part.name,
        state,
        text: (member) => (typeof state[member] === "string" ? state[member] : ""),
        makes: part.makes,
        of
      }
      const fragment = writerOf(part)?.in[key]?.(written)
      return fragment === undefined ? [] : [{ part, label, of: fragment }]
    })

  const made = new Set(fragmentsIn(reference).flatMap(({ of }) => madeBy(of)))
  const values = { ...without(known, made), ...foreseen }
  const all = fragmentsIn((name) => values[name] ?? reference(name))
  const outputs = [...made].filter(
    (name) => values[name] === undefined && (claims.has(name) || learns.includes(name))
  )
  // What is only asked is asked where something needs the answer.
  const fragments = all.filter(
    ({ of, part }) =>
      "desired" in part ||
      madeBy(of).some((name) => all.some((each) => each.of !== of && needs(each.of, name)))
  )
  const rest = open.filter((part) => "desired" in part && !all.some((each) => each.part === part))
  const noted = fragments.flatMap(({ of, part }) => {
    const { note } = writerOf(part) ?? {}
    return note !== undefined && isWriting(of) ? [note] : []
  })
  return {
    header: [
      `The trust of the flow "${flow}", as \`federate trust emit ${flow} --as ${language}\` writes it.`,
      checked[language],
      ...new Set(noted),
      ...rest.map(({ kind, name, side }, index) =>
        index === 0
          ? `Not in it, as ${language} cannot say it: ${side}'s ${kind} "${name}"`
          : `  and ${side}'s ${kind} "${name}"`
      ),
      ...(rest.length === 0 ? [] : [fitting(rest, writerOf, language)])
    ],
    fragments,
    inputs: [...new Set(fragments.flatMap(({ of }) => namesIn(of)))]
      .filter((name) => !made.has(name))
      .map((name) => ({ name, hint: hintOf(name, flow), usual: usualOf(name, values) })),
    outputs
  }
})

/** Each with a name of its own. */
const labelled = (
  parts: ReadonlyArray<Part>
): ReadonlyArray<{ readonly label: string; readonly part: Part }> => {
  const labels = new Map<string, number>()
  return parts.map((part) => {
    const base = part.kind.toLowerCase().replace(/[^a-z0-9]+/g, "_")
    const count = (labels.get(base) ?? 0) + 1
    labels.set(base, count)
    return { label: count === 1 ? base : `${base}_${count}`, part }
  })
}

/** What can be told before anything is there. */
const foresee = Effect.fnUntraced(function* (
  parts: ReadonlyArray<Part>,
  known: Known
): Effect.fn.Return<Known, FederationError> {
  const names = parts.flatMap(({ makes }) => makes)
  const references = Object.fromEntries(names.map((name) => [name, reference(name)]))
  let told: Known = {}
  for (const part of parts) {
    const named = { ...references, ...known, ...told }
    told = { ...told, ...(yield* part.foresee?.(known, named) ?? Effect.succeed({})) }
  }
  return told
})

/** What was held against what; the tool itself was not asked. */
const checked: Readonly<Record<Language, string>> = {
  terraform:
    "Its syntax is checked by federate's tests; nothing there could ask the providers: run `terraform plan` first.",
  cloudformation:
    "Its types and references are checked by federate's tests, against aws-cdk-lib; nothing there could ask AWS.",
  cdk: "It is compiled and synthesized by federate's tests; nothing there could deploy it.",
  "aws-cli":
    "Federate's tests run it with Debian's awscli, against a stand-in for AWS; nothing there could ask AWS itself. Run it once.",
  gcloud:
    "Federate's tests run it with gcloud 528, against a stand-in for Google; nothing there could ask Google itself. Run it once, signed in (`gcloud auth login`).",
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
  ["aud", "audience"],
  ["azp", "authorized party, or where it has none its audience"]
])

/** How to come by a value that nobody can know beforehand. */
const hintOf = (name: string, flow: string): string => {
  const claim = claims.get(name)
  return claim === undefined
    ? `The ${name} of what is there already`
    : `The assertion's ${claim} (${name}). It is known once the workload has its first one: \`federate inspect\` shows it of a token; a flow of the source alone, without the exchanger of "${flow}", hands one out`
}

/** Most assertions have no authorized party. */
const usualOf = (name: string, { aud }: Known): string | undefined =>
  name === "azp" && aud !== undefined && namesIn(aud).length === 0 ? aud : undefined

type AnyFragment = Fragments[keyof Fragments]

const isSteps = (of: AnyFragment): of is ReadonlyArray<Step> => Array.isArray(of)

const madeBy = (of: AnyFragment): ReadonlyArray<string> =>
  isSteps(of)
    ? of.flatMap(({ sets }: { readonly sets?: string }) => (sets === undefined ? [] : [sets]))
    : Object.keys(of.makes)

const needs = (of: AnyFragment, name: string): boolean => namesIn(of).includes(name)

/** Whether something is made or asked, and not only named. */
const isWriting = (of: AnyFragment): boolean =>
  isSteps(of) ? of.some((step) => "argv" in step) : "type" in of

const without = (known: Known, names: ReadonlySet<string>): Known =>
  Object.fromEntries(Object.entries(known).filter(([name]) => !names.has(name)))
