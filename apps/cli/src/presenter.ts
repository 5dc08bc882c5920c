/** What effect/cli has to say, said as the commands say theirs: standard output is for what was asked alone. */
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import { shortened } from "./printable.ts"
import { told } from "./report.ts"
import type { Options } from "./report.ts"
import { err, out } from "./style.ts"
import { UsageError } from "./UsageError.ts"

const formatter = (stream: typeof out) =>
  CliOutput.defaultFormatter({ colors: stream.colours(), globalFlags: "summary" })

export const presenter = (options: Options): CliOutput.Presenter => ({
  present: (event) => {
    switch (event._tag) {
      case "InvalidInvocation":
        return told(misuse(event), options)
      case "Help":
        return event.reason === "Requested"
          ? Console.log(formatter(out).formatHelpDoc(event.helpDoc))
          : Console.error(formatter(err).formatHelpDoc(event.helpDoc))
      case "Version":
        return Console.log(formatter(out).formatVersion(event.name, event.version))
    }
  }
})

const misuse = ({ commandPath, errors, helpDoc }: CliOutput.Presenter.InvalidInvocation) =>
  new UsageError({
    problem: errors.map(problem).join("; "),
    hint: [
      ...errors.flatMap(suggestion),
      `Usage: ${helpDoc.usage}`,
      `More: ${commandPath.join(" ")} --help`
    ].join("\n")
  })

const problem = (error: CliError.NonShowHelpErrors): string =>
  shortened(
    error._tag === "InvalidValue" && error.value !== ""
      ? `--${error.option} cannot be "${error.value}"`
      : // What follows are suggestions.
        error.message.replace(/\n.*$/s, "")
  )

const suggestion = (error: CliError.NonShowHelpErrors): ReadonlyArray<string> => {
  switch (error._tag) {
    case "InvalidValue":
      return error.value === "" ? [] : [error.expected.replace(/^(?=[^A-Z])/, "Expected ")]
    case "UnrecognizedOption":
    case "UnknownSubcommand":
      return error.suggestions.length === 0 ? [] : [`Did you mean ${error.suggestions.join(", ")}?`]
    default:
      return []
  }
}
