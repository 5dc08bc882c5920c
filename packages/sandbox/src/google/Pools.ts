/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
import * as Effect from "effect/Effect"
import {
  alreadyExists,
  authorize,
  checkDeleted,
  isId,
  isPurged,
  listed,
  masked,
  operation,
  stateOf,
  textFields
} from "./Call.ts"
import type { Answer, Call } from "./Call.ts"
import { invalid, notFound } from "./GoogleError.ts"
import { poolName } from "./Project.ts"
import type { Pool, Project } from "./Project.ts"

const describePool = (project: Project, pool: Pool) => ({
  name: poolName(project, pool.id),
  displayName: pool.displayName,
  description: pool.description,
  ...stateOf(pool),
  disabled: pool.disabled
})

/** The pool of this name, which may be deleted. */
export const findPool = Effect.fnUntraced(function* (call: Call, id: string) {
  const pool = call.project.pools.get(id)
  return pool === undefined || isPurged(call, pool)
    ? yield* notFound("Requested entity was not found.")
    : pool
})

/** Puts the changed pool in its place. */
const put = (call: Call, pool: Pool) => {
  const { project } = call
  project.pools.set(pool.id, pool)
  return operation(call, poolName(project, pool.id), describePool(project, pool))
}

export const pools = {
  list: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "iam.workloadIdentityPools.list")
    const { project } = call
    return {
      workloadIdentityPools: listed(call, project.pools.values()).map((pool) =>
        describePool(project, pool)
      )
    }
  }),
  get: Effect.fnUntraced(function* (call: Call, id: string) {
    yield* authorize(call, "iam.workloadIdentityPools.get")
    return describePool(call.project, yield* findPool(call, id))
  }),
  create: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "iam.workloadIdentityPools.create")
    const { body, now, project, request } = call
    const id = request.query.get("workloadIdentityPoolId")
    if (!isId(id)) return yield* invalid("Invalid workloadIdentityPoolId.")
    const there = project.pools.get(id)
    if (there !== undefined && !isPurged(call, there)) return yield* alreadyExists
    const pool: Pool = {
      id,
      ...textFields(body),
      disabled: body["disabled"] === true,
      createdAt: now,
      providers: new Map()
    }
    return put(call, pool)
  }),
  update: Effect.fnUntraced(function* (call: Call, id: string) {
    yield* authorize(call, "iam.workloadIdentityPools.update")
    const pool = yield* findPool(call, id)
    yield* checkDeleted(pool, false)
    const changes = yield* masked(call, ["displayName", "description", "disabled"])
    return put(call, {
      ...pool,
      ...textFields(changes),
      disabled: "disabled" in changes ? changes["disabled"] === true : pool.disabled
    })
  }),
  remove: Effect.fnUntraced(function* (call: Call, id: string) {
    yield* authorize(call, "iam.workloadIdentityPools.delete")
    const pool = yield* findPool(call, id)
    yield* checkDeleted(pool, false)
    return put(call, { ...pool, deletedAt: call.now })
  }),
  undelete: Effect.fnUntraced(function* (call: Call, id: string) {
    yield* authorize(call, "iam.workloadIdentityPools.undelete")
    const pool = yield* findPool(call, id)
    yield* checkDeleted(pool, true)
    const { deletedAt: _, ...restored } = pool
    return put(call, restored)
  })
} satisfies Record<string, (call: Call, id: string) => Answer>
