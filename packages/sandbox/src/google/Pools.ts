/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
import * as Effect from "effect/Effect"
import { alreadyExists, authorize, isId, masked, operation, textFields } from "./Call.ts"
import type { Answer, Call } from "./Call.ts"
import { invalid, notFound } from "./GoogleError.ts"
import { poolName } from "./Project.ts"
import type { Pool, Project } from "./Project.ts"

const describePool = (project: Project, { description, disabled, displayName, id }: Pool) => ({
  name: poolName(project, id),
  displayName,
  description,
  state: "ACTIVE",
  disabled
})

/** The pool of this name. */
export const findPool = Effect.fnUntraced(function* ({ project }: Call, id: string) {
  const pool = project.pools.get(id)
  return pool ?? (yield* notFound("Requested entity was not found."))
})

export const pools = {
  list: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "iam.workloadIdentityPools.list")
    const { project } = call
    return {
      workloadIdentityPools: [...project.pools.values()].map((pool) => describePool(project, pool))
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
    if (project.pools.has(id)) return yield* alreadyExists
    const pool: Pool = {
      id,
      ...textFields(body),
      disabled: body["disabled"] === true,
      createdAt: now,
      providers: new Map()
    }
    project.pools.set(id, pool)
    return operation(poolName(project, id), describePool(project, pool))
  }),
  update: Effect.fnUntraced(function* (call: Call, id: string) {
    yield* authorize(call, "iam.workloadIdentityPools.update")
    const pool = yield* findPool(call, id)
    const changes = yield* masked(call, ["displayName", "description", "disabled"])
    const changed = {
      ...pool,
      ...textFields(changes),
      disabled: "disabled" in changes ? changes["disabled"] === true : pool.disabled
    }
    call.project.pools.set(id, changed)
    return operation(poolName(call.project, id), describePool(call.project, changed))
  }),
  remove: Effect.fnUntraced(function* (call: Call, id: string) {
    yield* authorize(call, "iam.workloadIdentityPools.delete")
    const pool = yield* findPool(call, id)
    call.project.pools.delete(id)
    return operation(poolName(call.project, id), describePool(call.project, pool))
  })
} satisfies Record<string, (call: Call, id: string) => Answer>
