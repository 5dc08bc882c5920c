/** A script for a POSIX shell. */
import type { Document } from "./emit.ts"
import { pieces } from "./reference.ts"
import type { Step } from "./Writer.ts"

/** It stops at the first command that fails, and at once where a name is missing that nothing in it makes. */
export const shell = ({
  fragments,
  header,
  inputs,
  known,
  outputs
}: Document<ReadonlyArray<Step>>): string => {
  const used = inputs.map(({ hint, name }) => `# ${hint}.\n: "\${${variable(name)}:?is not set}"`)
  const blocks = [
    ...Object.entries(known).map(([name, value]) => `${variable(name)}=${word(value)}`),
    ...used,
    ...fragments.map(({ of, part }) =>
      [
        `# The ${part.kind} ${part.name}`,
        ...of.filter((step) => !("text" in step) || known[step.sets] === undefined).map(lineOf)
      ].join("\n")
    ),
    ...(outputs.length === 0
      ? []
      : [outputs.map((name) => `printf '%s\\n' "${name}: \${${variable(name)}}"`).join("\n")])
  ]
  return `#!/bin/sh\n${header.map((line) => `# ${line}\n`).join("")}set -eu\n\n${blocks.join("\n\n")}\n`
}

const lineOf = (step: Step): string => {
  if ("cut" in step) {
    return `${variable(step.sets)}=$(printf '%s' "\${${variable(step.cut)}}" | cut -d: -f${step.field})`
  }
  if ("text" in step) return `${variable(step.sets)}=${word(step.text)}`
  const command = grouped(step.argv).join(" \\\n  ")
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
