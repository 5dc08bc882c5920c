/** A call of Google's management APIs: who makes it, of what, and what most of them do alike. */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Request } from "../kernel/Http.ts"
import { ApiError, denied, invalid, notFound } from "./GoogleError.ts"
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

/**
 * What changes a pool or a provider takes its time at Google: the answer is an operation, which tells when it is done, and
 * what came of it.
 */
export const operation = ({ project }: Call, name: string, response: object) => {
  const started = { name: `${name}/operations/${randomUUID()}`, done: false }
  project.operations.set(started.name, { ...started, done: true, response })
  return started
}

/** The operation of that name, which is done by the time that anybody asks. */
export const finished = Effect.fnUntraced(function* ({ project }: Call, name: string) {
  const found = project.operations.get(name)
  return found ?? (yield* notFound("Requested entity was not found."))
})

/** What is deleted stays for as long, and its name is taken, in milliseconds. */
const restorable = 30 * 24 * 3_600_000

interface Deletable {
  readonly deletedAt?: number
}

/** Whether it is gone for good. */
export const isPurged = ({ now }: Call, { deletedAt }: Deletable): boolean =>
  deletedAt !== undefined && deletedAt + restorable <= now

export const stateOf = ({ deletedAt }: Deletable) =>
  deletedAt === undefined
    ? { state: "ACTIVE" }
    : { state: "DELETED", expireTime: new Date(deletedAt + restorable).toISOString() }

/** What a list shows: what is deleted only when it is asked for. */
export const listed = <A extends Deletable>(call: Call, all: Iterable<A>): ReadonlyArray<A> =>
  [...all].filter(
    (each) =>
      !isPurged(call, each) &&
      (each.deletedAt === undefined || call.request.query.get("showDeleted") === "true")
  )

/** Refuses to change what is deleted, and to restore what is not. */
export const checkDeleted = ({ deletedAt }: Deletable, expected: boolean) =>
  (deletedAt !== undefined) === expected
    ? Effect.void
    : new ApiError({
        status: "FAILED_PRECONDITION",
        message: expected ? "The resource is not deleted." : "The resource is deleted."
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
