/** A call of Google's management APIs: who makes it, of what, and what most of them do alike. */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Request } from "../kernel/Http.ts"
import { ApiError, denied, invalid } from "./GoogleError.ts"
import * as Policy from "./Policy.ts"
import type { Principal } from "./Principal.ts"
import type { Project } from "./Project.ts"

export interface Call {
  readonly project: Project
  readonly caller: Principal
  readonly request: Request
  readonly body: Readonly<Record<string, unknown>>
  readonly now: number
  /** Policies that were set after this time do not hold yet. */
  readonly seenUntil: number
}

/** What an operation answers with: JSON, with status 200. */
export type Answer = Effect.Effect<object, ApiError>

/** Refuses who has not the permission, by the project's policy or the resource's own. */
export const authorize = Effect.fnUntraced(function* (
  { caller, project, seenUntil }: Call,
  permission: string,
  own: ReadonlyArray<Policy.Policies> = []
) {
  const isAllowed = [project.policy, ...own].some((policy) =>
    Policy.allows(policy, caller, permission, seenUntil)
  )
  if (!isAllowed) return yield* denied(permission)
})

/** Of a pool or a provider. */
export const isId = (id: string | null): id is string =>
  id !== null && /^[a-z0-9-]{4,32}$/.test(id) && !id.startsWith("gcp-")

/** What changes a pool or a provider takes its time at Google; here it is done at once. */
export const operation = (name: string, response: object) => ({
  name: `${name}/operations/${randomUUID()}`,
  done: true,
  response
})

/** What people call it. */
export const textFields = ({ description, displayName }: Call["body"]) => ({
  ...(typeof displayName === "string" && { displayName }),
  ...(typeof description === "string" && { description })
})

export const alreadyExists = new ApiError({
  status: "ALREADY_EXISTS",
  message: "Requested entity already exists"
})

/** The body's fields that `updateMask` names. */
export const masked = Effect.fnUntraced(function* (
  { body, request }: Call,
  known: ReadonlyArray<string>
) {
  const names = (request.query.get("updateMask") ?? "").split(",").filter((name) => name !== "")
  const stranger = names.find((name) => !known.includes(name))
  if (names.length === 0 || stranger !== undefined) {
    return yield* invalid(`Invalid updateMask: ${stranger ?? "it is empty"}.`)
  }
  return Object.fromEntries(names.map((name) => [name, body[name]]))
})
