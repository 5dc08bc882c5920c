/**
 * The conditions of IAM's policy language, as far as the sandbox evaluates them. Everything else is refused when the
 * policy is written.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"

/** What a request says, by lower-case key. What is not there is absent. */
export type Context = Readonly<Record<string, ReadonlyArray<string>>>

export interface Condition {
  /** By lower-case key. */
  readonly key: string
  readonly holds: (actual: ReadonlyArray<string> | undefined) => boolean
}

/** All must hold. */
export const evaluate = (conditions: ReadonlyArray<Condition>, context: Context): boolean =>
  conditions.every(({ holds, key }) => holds(context[key]))

/** Keys are compared without regard to case. */
export const context = (entries: Readonly<Record<string, ReadonlyArray<string>>>): Context =>
  Object.fromEntries(Object.entries(entries).map(([key, values]) => [key.toLowerCase(), values]))

/** With `*` for any text and `?` for one character. */
export const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[\\^$+.()|{}[\]]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "s"
  ).test(text)

type Test = (expected: string, actual: string) => boolean

const equals: Test = (expected, actual) => expected === actual
const equalsIgnoreCase: Test = (expected, actual) =>
  equals(expected.toLowerCase(), actual.toLowerCase())
const numeric =
  (test: (expected: number, actual: number) => boolean): Test =>
  (expected, actual) =>
    test(Number(expected), Number(actual))

/** Those with `not` hold when no value matches, and for what is absent. */
const operators: Readonly<Record<string, { readonly test: Test; readonly not?: true }>> = {
  StringEquals: { test: equals },
  StringNotEquals: { test: equals, not: true },
  StringEqualsIgnoreCase: { test: equalsIgnoreCase },
  StringNotEqualsIgnoreCase: { test: equalsIgnoreCase, not: true },
  StringLike: { test: matches },
  StringNotLike: { test: matches, not: true },
  NumericEquals: { test: numeric((expected, actual) => actual === expected) },
  NumericNotEquals: { test: numeric((expected, actual) => actual === expected), not: true },
  NumericLessThan: { test: numeric((expected, actual) => actual < expected) },
  NumericLessThanEquals: { test: numeric((expected, actual) => actual <= expected) },
  NumericGreaterThan: { test: numeric((expected, actual) => actual > expected) },
  NumericGreaterThanEquals: { test: numeric((expected, actual) => actual >= expected) },
  Bool: { test: equalsIgnoreCase }
}

/** Reads a statement's `Condition`. The failure is the text of a MalformedPolicyDocument. */
export const parse = (value: unknown): Result.Result<ReadonlyArray<Condition>, string> => {
  if (value === undefined) return Result.succeed([])
  if (!Predicate.isObject(value)) return Result.fail("Syntax errors in policy.")
  return Result.map(
    Result.all(Object.entries(value).map(([operator, block]) => parseBlock(operator, block))),
    (conditions) => conditions.flat()
  )
}

const parseBlock = (
  name: string,
  block: unknown
): Result.Result<ReadonlyArray<Condition>, string> => {
  if (!Predicate.isObject(block)) return Result.fail("Syntax errors in policy.")
  const holding = evaluator(name)
  if (holding === undefined) {
    return Result.fail(
      `The sandbox does not evaluate the condition operator ${name}, and does not ignore it either: write the statement without it.`
    )
  }
  return Result.all(
    Object.entries(block).map(([key, value]) => {
      const values: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
      if (!/^[^:]+:./.test(key)) {
        return Result.fail(
          `Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.`
        )
      }
      const expected = values.filter(
        (each) => Predicate.isString(each) || Predicate.isNumber(each) || Predicate.isBoolean(each)
      )
      if (expected.length !== values.length) return Result.fail("Syntax errors in policy.")
      const texts = expected.map(String)
      return texts.some((text) => text.includes("${"))
        ? Result.fail(
            "The sandbox does not know policy variables, and does not ignore them either: write the value itself."
          )
        : Result.succeed({ key: key.toLowerCase(), holds: holding(texts) })
    })
  )
}

/** What an operator makes of the expected values, with its quantifier and `IfExists`. */
const evaluator = (
  name: string
): ((expected: ReadonlyArray<string>) => Condition["holds"]) | undefined => {
  if (name === "Null") {
    return (expected) => (actual) => expected.includes(actual === undefined ? "true" : "false")
  }
  const [, quantifier, base = "", ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name) ?? []
  const operator = operators[base]
  if (operator === undefined) return undefined
  const { not = false, test } = operator
  return (expected) => {
    const fits = (value: string) => expected.some((each) => test(each, value)) !== not
    return (actual) => {
      if (actual === undefined) {
        return (
          ifExists !== undefined ||
          quantifier === "ForAllValues" ||
          (not && quantifier === undefined)
        )
      }
      if (quantifier === "ForAllValues") return actual.every(fits)
      if (quantifier === "ForAnyValue") return actual.some(fits)
      // Without a quantifier several values are no match.
      return actual.length === 1 ? fits(actual[0]!) : not
    }
  }
}
