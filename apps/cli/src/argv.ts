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
