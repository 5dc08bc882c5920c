/** A script for a POSIX shell. */
import type { Document } from "./emit.ts"
import { namesIn, pieces } from "./reference.ts"
import type { Step } from "./Writer.ts"

/** It stops at the first command that fails, and at once where a name is missing that nothing in it makes. */
export const shell = ({
  fragments,
  header,
  inputs,
  outputs
}: Document<ReadonlyArray<Step>>): string => {
  const used = new Set([...outputs, ...fragments.flatMap(({ of }) => of.flatMap(namesFor))])
  const blocks = [
    ...inputs.map(({ hint, name, usual }) => {
      const own = variable(name)
      return `# ${hint}.\n${usual === undefined ? `: "\${${own}:?is not set}"` : `${own}=\${${own}:-${word(usual)}}`}`
    }),
    ...fragments.flatMap(({ of, part }) => {
      const lines = of.filter((step) => "argv" in step || used.has(step.sets)).map(lineOf)
      return lines.length === 0 ? [] : [[`# The ${part.kind} ${part.name}`, ...lines].join("\n")]
    }),
    ...(outputs.length === 0
      ? []
      : [outputs.map((name) => `printf '%s\\n' "${name}: \${${variable(name)}}"`).join("\n")])
  ]
  return `#!/bin/sh\n${header.map((line) => `# ${line}\n`).join("")}set -eu\n\n${blocks.join("\n\n")}\n`
}

/** What a step needs to know. */
const namesFor = (step: Step): ReadonlyArray<string> => [
  ...namesIn(step),
  ...("cut" in step ? [step.cut] : [])
]

const lineOf = (step: Step): string => {
  if ("cut" in step) {
    const { by, cut, sets } = step
    const from = variable(cut)
    return "after" in by
      ? `${variable(sets)}="\${${from}#*${by.after}}"`
      : `${variable(sets)}=$(printf '%s' "\${${from}}" | cut -d: -f${by.field})`
  }
  if ("text" in step) return `${variable(step.sets)}=${word(step.text)}`
  const tries = [step.argv, ...(step.or === undefined ? [] : [step.or])]
  const command = tries.map((argv) => grouped(argv).join(" \\\n  ")).join(" 2>/dev/null ||\n  ")
  return step.sets === undefined ? command : `${variable(step.sets)}=$(${command})`
}

/** The command, and each option with its value. */
const grouped = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const argument of argv) {
    const last = lines.at(-1)
    if (last === undefined || argument.startsWith("--")) lines.push(word(argument))
    else lines[lines.length - 1] = `${last} ${word(argument)}`
  }
  return lines
}

const variable = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase()

/** As one word: what is plain as it is, names in double quotes, the rest in single ones. */
const word = (text: string): string =>
  text === ""
    ? "''"
    : pieces(text)
        .map((piece) =>
          typeof piece === "object"
            ? `"\${${variable(piece.name)}}"`
            : /^[\w@%+=:,./-]+$/.test(piece)
              ? piece
              : `'${piece.replaceAll("'", `'\\''`)}'`
        )
        .join("")
