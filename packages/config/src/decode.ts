/** A part of a document held against its schema, with every problem told. */
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type * as Schema from "effect/Schema"
import * as Cause from "effect/Cause"
import type { Problem } from "./ConfigError.ts"
import { printPath } from "./path.ts"
import type { Path } from "./path.ts"

/** A part of a document with names for its parts. */
export type Mapping = Readonly<Record<string, unknown>>

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const problem = (path: Path, message: string): Problem => ({
  path: printPath(path),
  message
})

/** Keys that nobody knows, each with the ones that are known. */
export const unknownKeys = (
  mapping: Mapping,
  known: ReadonlyArray<string>,
  path: Path
): ReadonlyArray<Problem> =>
  Object.keys(mapping)
    .filter((key) => !known.includes(key))
    .map((key) => problem([...path, key], `is not known; ${alternatives(key, known)}`))

/** What may have been meant. */
export const alternatives = (written: string, known: ReadonlyArray<string>): string => {
  const like = known.find((each) => bare(each) === bare(written))
  return like === undefined ? `known are ${known.join(", ")}` : `did you mean ${like}?`
}

const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "")

/** A struct: its keys can be told. */
export interface Settings<A> extends Schema.Decoder<A> {
  readonly fields: Schema.Struct.Fields
}

/** Decodes a mapping. */
export const decode = <A>(
  schema: Settings<A>,
  mapping: Mapping,
  path: Path
): Result.Result<A, ReadonlyArray<Problem>> => {
  const known = Object.keys(schema.fields)
  const strangers = unknownKeys(mapping, known, path)
  const rest = Object.fromEntries(Object.entries(mapping).filter(([key]) => known.includes(key)))
  const exit = SchemaParser.decodeUnknownExit(schema, { errors: "all", onExcessProperty: "error" })(
    rest
  )
  if (Exit.isSuccess(exit))
    return strangers.length === 0 ? Result.succeed(exit.value) : Result.fail(strangers)
  const issue = Cause.squash(exit.cause)
  return Result.fail([...strangers, ...(SchemaIssue.isIssue(issue) ? problemsOf(issue, path) : [])])
}

/** The same for what should be a mapping. */
export const section = <A>(
  schema: Settings<A>,
  described: unknown,
  path: Path
): Result.Result<A, ReadonlyArray<Problem>> =>
  isMapping(described)
    ? decode(schema, described, path)
    : Result.fail([problem(path, "must be a mapping")])

const problemsOf = (issue: SchemaIssue.Issue, path: Path): ReadonlyArray<Problem> =>
  format(issue).issues.map((each) =>
    problem(
      [...path, ...(each.path ?? []).map((key) => (typeof key === "object" ? key.key : key))],
      each.message.replace(
        /^Expected (.*)$/s,
        (_, expected: string) => `must be ${inWords(expected)}`
      )
    )
  )

/** The schemas' expectations, as people say them. */
const inWords = (expected: string): string =>
  words[expected] ??
  (expected.includes('" | "') ? `one of ${expected.replaceAll('" | "', '", "')}` : expected)

const words: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  "an integer": "a whole number",
  boolean: "true or false",
  object: "a mapping",
  array: "a list"
}

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "MissingKey"
      ? "is missing"
      : issue._tag === "UnexpectedKey"
        ? "is not known"
        : SchemaIssue.defaultLeafHook(issue)
})
