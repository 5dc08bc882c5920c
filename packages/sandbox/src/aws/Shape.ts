/**
 * The shapes of AWS's inputs, and the words in which AWS complains of them: a wrong JSON type is a
 * SerializationException, a broken constraint a ValidationException that counts them all.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { AwsError } from "./AwsError.ts"

export interface Shape<out A> {
  /** Nothing when the JSON type is wrong; otherwise the value with the constraints that it breaks. */
  readonly check: (value: unknown, at: string) => Checked<A> | undefined
}

interface Checked<out A> {
  readonly value: A
  readonly problems: ReadonlyArray<string>
}

const shape = <A>(
  is: (value: unknown) => value is A,
  problems: (value: A, at: string) => ReadonlyArray<string> = () => []
): Shape<A> => ({
  check: (value, at) => (is(value) ? { value, problems: problems(value, at) } : undefined)
})

/** A member that may be left out. */
export interface Optional<out A> extends Shape<A> {
  readonly optional: true
}

export const optional = <A>({ check }: Shape<A>): Optional<A> => ({ check, optional: true })

interface StringLimits {
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
}

export const string = (limits: StringLimits = {}): Shape<string> =>
  shape(Predicate.isString, (value, at) =>
    broken(stringConstraints(limits, value), `Value '${value}' at '${at}'`)
  )

export const integer = (limits: { readonly min: number; readonly max: number }): Shape<number> =>
  shape(
    (value): value is number => Number.isInteger(value),
    (value, at) =>
      broken(
        [
          ...(value > limits.max
            ? [`Member must have value less than or equal to ${limits.max}`]
            : []),
          ...(value < limits.min
            ? [`Member must have value greater than or equal to ${limits.min}`]
            : [])
        ],
        `Value '${value}' at '${at}'`
      )
  )

/** An integer as the Query protocol writes it. */
export const numeral = (limits: { readonly min: number; readonly max: number }): Shape<number> => ({
  check: (value, at) =>
    typeof value === "string" && /^-?\d{1,10}$/.test(value)
      ? integer(limits).check(Number(value), at)
      : undefined
})

/** A list of texts; the Query protocol writes an empty one as an empty text. */
export const strings = (
  limits: { readonly min: number; readonly max: number },
  each: StringLimits
): Shape<ReadonlyArray<string>> => {
  const { check } = shape(
    (value): value is ReadonlyArray<string> =>
      Array.isArray(value) && value.every(Predicate.isString),
    (value, at) =>
      broken(
        [
          ...(value.length > limits.max
            ? [`Member must have length less than or equal to ${limits.max}`]
            : []),
          ...(value.length < limits.min
            ? [`Member must have length greater than or equal to ${limits.min}`]
            : []),
          ...value
            .flatMap((text) => stringConstraints(each, text))
            .slice(0, 1)
            .map((constraint) => `Member must satisfy constraint: [${constraint}]`)
        ],
        `Value at '${at}'`
      )
  )
  return { check: (value, at) => check(value === "" ? [] : value, at) }
}

export const boolean: Shape<boolean> = shape(Predicate.isBoolean)

/** Whatever it is. */
export const any: Shape<unknown> = shape((_value): _value is unknown => true)

/** Kept as it came: the sandbox shows it again and reads nothing in it. */
export const list: Shape<ReadonlyArray<unknown>> = shape((value) => Array.isArray(value))

export const map = (
  limits: { readonly max: number },
  key: StringLimits,
  value: StringLimits
): Shape<Readonly<Record<string, string>>> =>
  shape(
    (input): input is Readonly<Record<string, string>> =>
      Predicate.isObject(input) && Object.values(input).every(Predicate.isString),
    (entries, at) => {
      const first = (texts: ReadonlyArray<string>, constraints: StringLimits) =>
        texts.flatMap((text) => stringConstraints(constraints, text))[0]
      const badKey = first(Object.keys(entries), key)
      const badValue = first(Object.values(entries), value)
      return broken(
        [
          ...(Object.keys(entries).length > limits.max
            ? [`Member must have length less than or equal to ${limits.max}`]
            : []),
          ...(badKey === undefined ? [] : [`Map keys must satisfy constraint: [${badKey}]`]),
          ...(badValue === undefined ? [] : [`Map value must satisfy constraint: [${badValue}]`])
        ],
        `Value at '${at}'`
      )
    }
  )

const stringConstraints = (limits: StringLimits, value: string): ReadonlyArray<string> => [
  ...(limits.pattern !== undefined && !new RegExp(`^(?:${limits.pattern})$`, "u").test(value)
    ? [`Member must satisfy regular expression pattern: ${limits.pattern}`]
    : []),
  ...(limits.max !== undefined && value.length > limits.max
    ? [`Member must have length less than or equal to ${limits.max}`]
    : []),
  ...(limits.min !== undefined && value.length < limits.min
    ? [`Member must have length greater than or equal to ${limits.min}`]
    : [])
]

const broken = (constraints: ReadonlyArray<string>, subject: string): ReadonlyArray<string> =>
  constraints.map((constraint) => `${subject} failed to satisfy constraint: ${constraint}`)

/** A structure's members, each with its shape. */
export type Members = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>

/** What a structure of these members decodes to. */
export type Structure<M extends Members> = {
  readonly [K in keyof M as M[K] extends Optional<unknown> ? never : K]: Value<M[K]>
} & {
  readonly [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: Value<M[K]>
}

type Value<S> = S extends Shape<infer A> ? A : never

/** Reads an input. Members that the structure does not have are ignored, and `null` is as if absent, as in AWS. */
export const decode = <M extends Members>(
  members: M,
  input: Readonly<Record<string, unknown>>
): Effect.Effect<Structure<M>, AwsError> => {
  const problems: Array<string> = []
  const output: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(members)) {
    const value = input[name] ?? undefined
    const at = name.slice(0, 1).toLowerCase() + name.slice(1)
    if (value === undefined) {
      if ("optional" in member) continue
      problems.push(`Value null at '${at}' failed to satisfy constraint: Member must not be null`)
      continue
    }
    const checked = member.check(value, at)
    if (checked === undefined) {
      return new AwsError({ code: "SerializationException", message: `${name} has a wrong type` })
    }
    output[name] = checked.value
    problems.push(...checked.problems)
  }
  // Every member has passed its own shape's check.
  if (problems.length === 0) return Effect.succeed(output as Structure<M>)
  return new AwsError({
    code: "ValidationException",
    message: `${problems.length} validation ${problems.length === 1 ? "error" : "errors"} detected: ${problems.join("; ")}`
  })
}
