/** The parameters of a token request, by the rules of RFC 6749 §3.2: what has no value is as if absent. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { form } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import { refuse } from "./OAuthError.ts"
import type { OAuthError } from "./OAuthError.ts"

const isOf = (request: Request, type: string): boolean =>
  request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() === type

/** @param repeated those that may stand there several times (RFC 8693 §2.1) */
export const readForm = Effect.fnUntraced(function* (
  request: Request,
  repeated: ReadonlyArray<string> = []
): Effect.fn.Return<URLSearchParams, OAuthError> {
  if (!isOf(request, "application/x-www-form-urlencoded"))
    return yield* refuse("invalid_request", "The body must be application/x-www-form-urlencoded")
  const all = form(request)
  const parameters = new URLSearchParams([...all].filter(([, value]) => value !== ""))
  for (const name of new Set(parameters.keys())) {
    if (!repeated.includes(name) && parameters.getAll(name).length > 1)
      return yield* refuse("invalid_request", `${name} stands there more than once`)
  }
  return parameters
})

/** The same for a service that wants JSON: an object of texts. */
export const readJson = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<URLSearchParams, OAuthError> {
  if (!isOf(request, "application/json"))
    return yield* refuse("invalid_request", "The body must be application/json")
  const body = Result.try((): unknown => JSON.parse(request.body.toString("utf8")))
  const values =
    Result.isSuccess(body) && Predicate.isObject(body.success) ? Object.entries(body.success) : []
  const texts = values.filter((entry): entry is [string, string] => typeof entry[1] === "string")
  if (values.length === 0 || texts.length < values.length)
    return yield* refuse("invalid_request", "The body must be an object of texts")
  return new URLSearchParams(texts)
})

export const required = Effect.fnUntraced(function* (
  parameters: URLSearchParams,
  name: string
): Effect.fn.Return<string, OAuthError> {
  const value = parameters.get(name)
  return value ? value : yield* refuse("invalid_request", `${name} is missing`)
})
