/** What setting a trust up has made known, as environment variables. */
import type { TrustDefinition } from "@federate/config"
import type { Known } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { inWords } from "./files.ts"
import { word } from "@federate/trust/shell"
import { UsageError } from "./UsageError.ts"

export interface EnvironmentLine {
  readonly name: string
  readonly value: string
  /** As a shell and an env file have it. */
  readonly line: string
}

/** One for each variable that the config file names for something that is known now. */
export const environmentLines = (
  { learns }: TrustDefinition,
  known: Known
): ReadonlyArray<EnvironmentLine> =>
  learns.flatMap(({ setting, variable: name }) => {
    const value = known[setting]
    return value === undefined ? [] : [{ name, value, line: `${name}=${word(value)}` }]
  })

/** Writes them into an env file: what it says of other variables stays. */
export const keepIn = Effect.fnUntraced(function* (
  file: string,
  lines: ReadonlyArray<EnvironmentLine>
) {
  const files = yield* FileSystem.FileSystem
  const before = yield* Effect.orElseSucceed(files.readFileString(file), () => "")
  const others = before
    .split("\n")
    .filter(
      (each) => !lines.some(({ name }) => new RegExp(`^\\s*(export\\s+)?${name}=`).test(each))
    )
    .join("\n")
    .replace(/\n*$/, "")
  const text = [...(others === "" ? [] : [others]), ...lines.map(({ line }) => line), ""].join("\n")
  yield* Effect.mapError(
    files.writeFileString(file, text),
    (error) =>
      new UsageError({
        problem: `${file} cannot be written: ${inWords(error)}`,
        hint: "Choose another --env-file; running the same again changes nothing on either side."
      })
  )
})
