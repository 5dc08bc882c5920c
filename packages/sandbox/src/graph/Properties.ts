/** Reads an object's properties out of a request's body. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { Request } from "../kernel/Http.ts"
import { badRequest, GraphError } from "./GraphError.ts"

export type Body = Readonly<Record<string, unknown>>

export const readBody = (request: Request): Effect.Effect<Body, GraphError> => {
  const parsed = Result.try((): unknown => JSON.parse(request.body.toString("utf8")))
  return Result.isSuccess(parsed) && Predicate.isObject(parsed.success)
    ? Effect.succeed(parsed.success)
    : new GraphError({
        status: 400,
        code: "BadRequest",
        message:
          "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
      })
}

/** What each property of `A` that may be written must be. */
export type Writable<A> = { readonly [K in keyof A]: (value: unknown) => value is A[K] }

/** The body's properties; one that may not be written, or has a wrong value, is refused. */
export const read = <A>(
  type: string,
  writable: Writable<A>,
  body: Body
): Effect.Effect<Partial<A>, GraphError> => {
  const checks = new Map<string, (value: unknown) => boolean>(Object.entries(writable))
  for (const [name, value] of Object.entries(body)) {
    if (name.startsWith("@odata.")) continue
    const check = checks.get(name)
    if (check === undefined) return badRequest(`Invalid property '${name}'.`)
    if (!check(value)) {
      return badRequest(`Invalid value specified for property '${name}' of resource '${type}'.`)
    }
  }
  return Effect.succeed(body as Partial<A>) // each property has passed the check for its own type
}

/** The properties, when all of the named ones are there. */
export const required = <A, K extends keyof A & string>(
  type: string,
  properties: Partial<A>,
  names: ReadonlyArray<K>
): Effect.Effect<Partial<A> & Pick<A, K>, GraphError> => {
  const missing = names.find((name) => properties[name] === undefined)
  return missing === undefined
    ? Effect.succeed(properties as Partial<A> & Pick<A, K>) // none of them is missing
    : badRequest(`A value is required for property '${missing}' of resource '${type}'.`)
}

export const isText =
  (max: number, min = 0) =>
  (value: unknown): value is string =>
    typeof value === "string" && value.length >= min && value.length <= max

export const isNullable =
  <A>(is: (value: unknown) => value is A) =>
  (value: unknown): value is A | null =>
    value === null || is(value)

export const isList =
  <A>(is: (value: unknown) => value is A) =>
  (value: unknown): value is ReadonlyArray<A> =>
    Array.isArray(value) && value.every(is)

export const isGuid = (value: unknown): value is string =>
  typeof value === "string" && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value)
