/** Arguments, as effect/cli takes them. */
import { parseDuration } from "@federate/schema"
import * as Result from "effect/Result"

const flag = "--wait-propagation"

/** A number alone is a duration that lacks its unit, and is told so. */
const isDuration = (text: string): boolean =>
  Result.isSuccess(parseDuration(text)) || /^\d+(?:\.\d+)?$/.test(text)

/**
 * Joins `--wait-propagation 5m` with `=`, which effect/cli wants before a value that may be left out. What does not
 * read as a duration is left alone: it is the flow's name.
 */
export const joined = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = own(args).indexOf(flag)
  const value = args[at + 1]
  return at === -1 || value === undefined || !isDuration(value)
    ? args
    : [...args.slice(0, at), `${flag}=${value}`, ...args.slice(at + 2)]
}

/** Those before `--`: what follows is another command's. */
export const own = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = args.indexOf("--")
  return end === -1 ? args : args.slice(0, end)
}

/** Flags with a value after a blank, before `run`'s command. */
const valued = new Set(["--flow", "--config", "-c", "--log-level", "--completions"])

/** Where the first word at or after this place is that is no flag, and no flag's value. */
const operand = (args: ReadonlyArray<string>, from: number): number => {
  const arg = args[from]
  return arg === undefined || arg === "--" || !arg.startsWith("-")
    ? from
    : operand(args, from + (valued.has(arg) ? 2 : 1))
}

/** Puts `--` before the command that `run` runs, where it was left out: flags and another `--` after it are its own. */
export const separated = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const name = operand(args, 0)
  const command = operand(args, name + 1)
  return args[name] !== "run" || command >= args.length || args[command] === "--"
    ? args
    : [...args.slice(0, command), "--", ...args.slice(command)]
}
