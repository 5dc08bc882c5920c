/**
 * A provider's attribute mapping and condition, in the Common Expression Language.
 *
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 */
import type { CelEnv, CelInput } from "@bufbuild/cel"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { invalid, refuse } from "./GoogleError.ts"
import type { ApiError, TokenServiceError } from "./GoogleError.ts"
import type { Federated } from "./Principal.ts"

type Claims = Readonly<Record<string, unknown>>

export interface Attributes {
  /** Whom a token with these claims is about, when the condition lets it in. */
  readonly of: (
    claims: Claims
  ) => Result.Result<Pick<Federated, "subject" | "groups" | "attributes">, TokenServiceError>
}

/** Of a mapped subject, in bytes. */
const longestSubject = 127

/** Of all mapped attributes together, in bytes. */
const mostBytes = 8192

const longestExpression = { mapping: 2048, condition: 4096 }
const mostCustomAttributes = 50

/** Compiles them. What is no expression, or maps what does not exist, is refused as IAM does when it is written. */
export const compile = Effect.fnUntraced(function* (
  mapping: Readonly<Record<string, string>>,
  condition: string | undefined
): Effect.fn.Return<Attributes, ApiError> {
  const cel = yield* Effect.promise(load)
  const keys = Object.keys(mapping)
  if (!keys.includes("google.subject")) {
    return yield* invalid("The attribute mapping must contain google.subject.")
  }
  const custom = keys.filter((key) => key !== "google.subject" && key !== "google.groups")
  const stranger = custom.find((key) => !/^attribute\.[a-z0-9_]{1,100}$/.test(key))
  if (stranger !== undefined) {
    return yield* invalid(
      `Invalid mapped attribute key: ${stranger}. Custom mapped attributes must be in format 'attribute.{custom_attribute}'`
    )
  }
  if (custom.length > mostCustomAttributes) {
    return yield* invalid(`At most ${mostCustomAttributes} custom attributes can be mapped.`)
  }
  const parse = (expression: string, longest: number) =>
    expression.length > longest
      ? invalid(`The expression is longer than ${longest} characters.`)
      : Effect.try({
          try: () => cel.plan(cel.env, cel.parse(expression)),
          catch: () => invalid(`Invalid expression: ${expression}`)
        })
  const mapped = yield* Effect.forEach(Object.entries(mapping), ([key, expression]) =>
    Effect.map(parse(expression, longestExpression.mapping), (evaluate) => [key, evaluate] as const)
  )
  const admits =
    condition === undefined || condition === ""
      ? undefined
      : yield* parse(condition, longestExpression.condition)

  return {
    of: (claims) =>
      Result.gen(function* () {
        const assertion = toCel(claims)
        const values: Record<string, string | ReadonlyArray<string>> = {}
        for (const [key, evaluate] of mapped) {
          const value = evaluate({ assertion })
          if (key === "google.groups") {
            const texts = cel.isCelList(value) ? [...value] : [value]
            if (!texts.every((text) => typeof text === "string")) {
              return yield* mustBe(key, "LIST of STRING")
            }
            values[key] = texts
          } else if (typeof value === "string") {
            values[key] = value
          } else {
            return yield* mustBe(key, "STRING")
          }
        }
        // The mapping has it, and every value is a text.
        const subject = values["google.subject"] as string
        if (bytes(subject) > longestSubject) return yield* tooLong("google.subject", longestSubject)
        const total = Object.values(values)
          .flat()
          .reduce((sum, text) => sum + bytes(text), 0)
        if (total > mostBytes) return yield* tooLong("total", mostBytes)
        const attributes = Object.fromEntries(
          Object.entries(values)
            .filter(([key]) => key.startsWith("attribute."))
            // A custom attribute is a text.
            .map(([key, value]) => [key.slice("attribute.".length), value as string])
        )
        const groups = [values["google.groups"] ?? []].flat()
        const google = { subject, groups }
        if (
          admits !== undefined &&
          admits({ assertion, google: toCel(google), attribute: toCel(attributes) }) !== true
        ) {
          return yield* Result.fail(
            refuse(
              "unauthorized_client",
              "The given credential is rejected by the attribute condition."
            )
          )
        }
        return { subject, groups, attributes }
      })
  }
})

const mustBe = (key: string, type: string) =>
  Result.fail(
    refuse("unauthorized_client", `The mapped attribute '${key}' must be of type ${type}.`)
  )

const tooLong = (key: string, limit: number) =>
  Result.fail(
    refuse(
      "invalid_request",
      `The size of mapped attribute ${key} exceeds the ${limit} bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than ${limit} bytes.`
    )
  )

const bytes = (text: string): number => Buffer.byteLength(text)

/** JSON as CEL takes it: an object is a map. */
const toCel = (value: unknown): CelInput => {
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value === "object" && value !== null) {
    return new Map(Object.entries(value).map(([key, each]) => [key, toCel(each)]))
  }
  // What JSON has besides.
  return value as string | number | boolean | null
}

/** The library, when the first provider is made: few sandboxes have one. */
const load = async () => {
  const [cel, { strings }] = await Promise.all([
    import("@bufbuild/cel"),
    import("@bufbuild/cel/ext")
  ])
  const { CelScalar, celEnv, celMethod, isCelList, parse, plan } = cel
  const env: CelEnv = celEnv({
    funcs: [
      ...strings,
      celMethod(
        "extract",
        CelScalar.STRING,
        [CelScalar.STRING],
        CelScalar.STRING,
        function (this: unknown, template) {
          return extract(String(this), template)
        }
      )
    ]
  })
  return { env, isCelList, parse, plan }
}

/** Google's own: what stands in the place of the braces in `repo:{name}:ref`; nothing when the text is otherwise. */
const extract = (text: string, template: string): string => {
  const [, before = "", after = ""] = /^(.*?)\{[^}]*\}(.*)$/s.exec(template) ?? []
  const start = text.indexOf(before)
  if (start === -1) return ""
  const rest = text.slice(start + before.length)
  const end = after === "" ? rest.length : rest.indexOf(after)
  return end === -1 ? "" : rest.slice(0, end)
}
