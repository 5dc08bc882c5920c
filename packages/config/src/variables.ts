/** `${NAME}` and `${NAME:-default}` in the strings of a document. */
import type { Problem } from "./ConfigError.ts"
import { printPath } from "./path.ts"
import type { Path } from "./path.ts"

/** The value of a variable; nothing when it is not set. */
export type Environment = (name: string) => string | undefined

/** `$$` is a dollar sign; `${…}` a variable, well written or not. */
const reference = /\$\$|\$\{([^}]*)\}?/g
const wellWritten = /^([A-Za-z_]\w*)(?::-(.*))?$/s

/**
 * Puts variables into every string of a document that was already read, so that a value can bring no syntax along. A
 * variable that is not set, or empty, takes its default (as a shell's `:-` does); without one it is a problem.
 */
export const substitute = (
  document: unknown,
  environment: Environment
): { readonly document: unknown; readonly problems: ReadonlyArray<Problem> } => {
  const problems: Array<Problem> = []

  const text = (value: string, path: Path): string =>
    value.replace(reference, (whole: string, inside: string | undefined) => {
      if (whole === "$$") return "$"
      const [, name, otherwise] = (whole.endsWith("}") && wellWritten.exec(inside ?? "")) || []
      if (name === undefined) {
        problems.push({
          path: printPath(path),
          message: `"${whole}" is no variable: write \${NAME} or \${NAME:-default}, or $$ for a dollar sign`
        })
        return ""
      }
      const found = environment(name) || otherwise
      if (found === undefined) {
        problems.push({
          path: printPath(path),
          message: `the environment variable ${name} is not set: set it, or give a default, \${${name}:-…}`
        })
      }
      return found ?? ""
    })

  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === "string") return text(value, path)
    if (Array.isArray(value)) return value.map((each, index) => walk(each, [...path, index]))
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => {
        if (key.includes("${")) {
          problems.push({
            path: printPath([...path, key]),
            message: "is a key, and a variable may stand in values only"
          })
        }
        return [key, walk(each, [...path, key])]
      })
    )
  }

  return { document: walk(document, []), problems }
}

/** The variable that a text is, with nothing before or after it and no default. */
export const variableAt = (text: string): string | undefined =>
  /^\$\{([A-Za-z_]\w*)\}$/.exec(text)?.[1]
