/** A config file's text read as YAML, with what is wrong told by line or path. */
import * as Yaml from "effect/encoding/Yaml"
import * as Result from "effect/Result"
import type { Problem } from "./ConfigError.ts"
import { problem } from "./decode.ts"
import type { Path } from "./path.ts"

export const parse = (text: string): Result.Result<unknown, ReadonlyArray<Problem>> => {
  const document = read(text)
  if (Result.isFailure(document)) {
    return Result.fail([problem([], `is not YAML: ${placed(document.failure, text)}`)])
  }
  const problems = splitKeys(document.success, text, [])
  return problems.length === 0 ? Result.succeed(document.success) : Result.fail(problems)
}

const read = (text: string): Result.Result<unknown, string> =>
  Result.try({
    try: (): unknown => Yaml.parse(text),
    catch: (error) => (error instanceof Error ? error.message : "it cannot be read")
  })

const offset = / at flow offset \d+$/

/** Of what stands between brackets the parser tells an offset within them: told with its line, and the usual fix. */
const placed = (message: string, text: string): string =>
  offset.test(message)
    ? `${message.replace(offset, "")} between brackets${lineOf(message, text)}; what holds one of {}[],: there, such as "\${NAME}", belongs in quotes`
    : message

/** The line without whose brackets there would be another problem, or none. */
const lineOf = (message: string, text: string): string => {
  const lines = text.split("\n")
  const line = lines.findIndex((each, index) => {
    if (!/[[{]/.test(each)) return false
    const rest = read(lines.with(index, each.replace(/[[{].*/, "x")).join("\n"))
    return !Result.isFailure(rest) || rest.failure !== message
  })
  return line === -1 ? "" : ` at line ${line + 1}`
}

/** Keys that the parser ends at their first colon, between brackets: `{ https://vault.azure.net: vault }`. */
const splitKeys = (value: unknown, text: string, path: Path): ReadonlyArray<Problem> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, each]) => {
        const at = [...path, Array.isArray(value) ? Number(key) : key]
        return typeof each === "string"
          ? each.includes(": ") && text.includes(`${key}:${each}`)
            ? [problem(at, "is a key with a colon in it: put it in quotes")]
            : []
          : splitKeys(each, text, at)
      })
