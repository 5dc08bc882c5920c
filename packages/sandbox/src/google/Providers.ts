/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Attributes from "./Attributes.ts"
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
import { findPool } from "./Pools.ts"
import { poolName } from "./Project.ts"
import type { Pool, Project, Provider } from "./Project.ts"

const describeProvider = (project: Project, pool: Pool, provider: Provider) => {
  const { attributeCondition, attributeMapping, description, disabled, displayName, id, oidc } =
    provider
  return {
    name: `${poolName(project, pool.id)}/providers/${id}`,
    displayName,
    description,
    ...stateOf(provider),
    disabled,
    attributeMapping,
    attributeCondition,
    oidc
  }
}

const findProvider = Effect.fnUntraced(function* (call: Call, poolId: string, id: string) {
  const pool = yield* findPool(call, poolId)
  const provider = pool.providers.get(id)
  return provider === undefined || isPurged(call, provider)
    ? yield* notFound("Requested entity was not found.")
    : { pool, provider }
})

const readProvider = Effect.fnUntraced(function* (
  body: Call["body"],
  id: string,
  createdAt: number
) {
  const { attributeCondition, attributeMapping = {}, disabled, oidc } = body
  if (!isTextMap(attributeMapping)) return yield* invalid("Invalid attributeMapping.")
  if (attributeCondition !== undefined && typeof attributeCondition !== "string") {
    return yield* invalid("Invalid attributeCondition.")
  }
  if (!Predicate.isObject(oidc)) return yield* invalid("The sandbox knows OIDC providers only.")
  const provider: Provider = {
    id,
    ...textFields(body),
    disabled: disabled === true,
    attributeMapping,
    ...(attributeCondition !== undefined && { attributeCondition }),
    oidc: yield* readOidc(new Map<string, unknown>(Object.entries(oidc))),
    attributes: yield* Attributes.compile(attributeMapping, attributeCondition),
    createdAt
  }
  return provider
})

const readOidc = Effect.fnUntraced(function* (oidc: ReadonlyMap<string, unknown>) {
  const issuerUri = oidc.get("issuerUri")
  const allowedAudiences = oidc.get("allowedAudiences")
  const jwksJson = oidc.get("jwksJson")
  if (typeof issuerUri !== "string" || URL.parse(issuerUri)?.protocol !== "https:") {
    return yield* invalid("issuerUri must be a valid URI, and use https.")
  }
  if (
    allowedAudiences !== undefined &&
    !(
      Array.isArray(allowedAudiences) &&
      allowedAudiences.length <= 10 &&
      allowedAudiences.every((each) => typeof each === "string" && each.length <= 256)
    )
  ) {
    return yield* invalid("At most 10 allowedAudiences of at most 256 characters can be given.")
  }
  if (jwksJson !== undefined && (typeof jwksJson !== "string" || !isKeySet(jwksJson))) {
    return yield* invalid("jwksJson is not a JSON Web Key Set.")
  }
  return {
    issuerUri,
    ...(allowedAudiences !== undefined && { allowedAudiences }),
    ...(jwksJson !== undefined && { jwksJson })
  }
})

const isKeySet = (text: string): boolean => {
  const parsed = Result.try((): unknown => JSON.parse(text))
  return (
    Result.isSuccess(parsed) &&
    Predicate.isObject(parsed.success) &&
    "keys" in parsed.success &&
    Array.isArray(parsed.success.keys)
  )
}

const isTextMap = (value: unknown): value is Readonly<Record<string, string>> =>
  Predicate.isObject(value) && Object.values(value).every((each) => typeof each === "string")

/** Puts the changed provider in its place. */
const put = (call: Call, pool: Pool, provider: Provider) => {
  pool.providers.set(provider.id, provider)
  const described = describeProvider(call.project, pool, provider)
  return operation(call, described.name, described)
}

export const providers = {
  list: Effect.fnUntraced(function* (call: Call, poolId: string) {
    yield* authorize(call, "iam.workloadIdentityPoolProviders.list")
    const pool = yield* findPool(call, poolId)
    return {
      workloadIdentityPoolProviders: listed(call, pool.providers.values()).map((provider) =>
        describeProvider(call.project, pool, provider)
      )
    }
  }),
  get: Effect.fnUntraced(function* (call: Call, poolId: string, id: string) {
    yield* authorize(call, "iam.workloadIdentityPoolProviders.get")
    const { pool, provider } = yield* findProvider(call, poolId, id)
    return describeProvider(call.project, pool, provider)
  }),
  create: Effect.fnUntraced(function* (call: Call, poolId: string) {
    yield* authorize(call, "iam.workloadIdentityPoolProviders.create")
    const pool = yield* findPool(call, poolId)
    const id = call.request.query.get("workloadIdentityPoolProviderId")
    if (!isId(id)) return yield* invalid("Invalid workloadIdentityPoolProviderId.")
    yield* checkDeleted(pool, false)
    const there = pool.providers.get(id)
    if (there !== undefined && !isPurged(call, there)) return yield* alreadyExists
    return put(call, pool, yield* readProvider(call.body, id, call.now))
  }),
  update: Effect.fnUntraced(function* (call: Call, poolId: string, id: string) {
    yield* authorize(call, "iam.workloadIdentityPoolProviders.update")
    const { pool, provider } = yield* findProvider(call, poolId, id)
    const changes = yield* masked(call, [
      "displayName",
      "description",
      "disabled",
      "attributeMapping",
      "attributeCondition",
      "oidc"
    ])
    yield* checkDeleted(provider, false)
    return put(call, pool, yield* readProvider({ ...provider, ...changes }, id, provider.createdAt))
  }),
  remove: Effect.fnUntraced(function* (call: Call, poolId: string, id: string) {
    yield* authorize(call, "iam.workloadIdentityPoolProviders.delete")
    const { pool, provider } = yield* findProvider(call, poolId, id)
    yield* checkDeleted(provider, false)
    return put(call, pool, { ...provider, deletedAt: call.now })
  }),
  undelete: Effect.fnUntraced(function* (call: Call, poolId: string, id: string) {
    yield* authorize(call, "iam.workloadIdentityPoolProviders.undelete")
    const { pool, provider } = yield* findProvider(call, poolId, id)
    yield* checkDeleted(provider, true)
    const { deletedAt: _, ...restored } = provider
    return put(call, pool, restored)
  })
} satisfies Record<string, (call: Call, pool: string, id: string) => Answer>
