/** What Graph does with any collection of objects: list, read, create, change, delete, and create if missing. */
import * as Effect from "effect/Effect"
import { json } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import { GraphError, notFound } from "./GraphError.ts"
import type { Key } from "./Path.ts"
import type { Body } from "./Properties.ts"
import { readBody } from "./Properties.ts"
import * as Query from "./Query.ts"

export interface Collection {
  /** After `$metadata#`. */
  readonly context: string
  readonly items: () => ReadonlyArray<Query.Item>
  /** The properties besides `id` that name one object. */
  readonly keys: ReadonlyArray<string>
  /** One of the application permissions that a caller must have. */
  readonly permissions: {
    readonly read: ReadonlyArray<string>
    readonly write: ReadonlyArray<string>
  }
  readonly create: (body: Body, now: number) => Effect.Effect<Query.Item, GraphError>
  /** Absent: its objects never change. */
  readonly update?: (id: string, body: Body) => Effect.Effect<void, GraphError>
  readonly remove: (id: string) => void
}

/** The object that a key names. */
export const find = (collection: Collection, key: Key): Effect.Effect<Query.Item, GraphError> => {
  const item = lookUp(collection, key)
  return item === undefined ? notFound(key.value) : Effect.succeed(item)
}

const lookUp = ({ items, keys }: Collection, { property, value }: Key): Query.Item | undefined =>
  items().find(
    (item) =>
      (property === "id" && item.id === value.toLowerCase()) ||
      Object.entries(item).some(
        ([name, held]) =>
          keys.includes(name) && (name === property || bareKey(keys, property)) && held === value
      )
  )

/** A federated credential's name may stand where its id does; an application's client id may not. */
const bareKey = (keys: ReadonlyArray<string>, property: string): boolean =>
  property === "id" && keys.includes("name")

export interface Call {
  readonly collection: Collection
  readonly key?: Key
  readonly request: Request
  /** Graph's base URL, version included. */
  readonly base: string
  readonly now: number
}

/** The answer to a call by someone who may make it. */
export const answer = (call: Call): Effect.Effect<Response, GraphError> => {
  const context = `${call.base}/$metadata#${call.collection.context}`
  const { key } = call
  switch (call.request.method) {
    case "GET":
      return key === undefined ? list(call, context) : read(call, key, context)
    case "POST":
      return key === undefined ? create(call, context) : notAllowed
    case "PATCH":
      return key === undefined ? notAllowed : change(call, key, context)
    case "DELETE":
      return key === undefined ? notAllowed : remove(call, key)
    default:
      return notAllowed
  }
}

const read = Effect.fnUntraced(function* (
  { collection, request }: Call,
  key: Key,
  context: string
) {
  const { select } = yield* Query.parse(request.query)
  const item = yield* find(collection, key)
  return json(200, { "@odata.context": `${context}/$entity`, ...select(item) })
})

const create = Effect.fnUntraced(function* ({ collection, now, request }: Call, context: string) {
  const item = yield* collection.create(yield* readBody(request), now)
  return json(201, { "@odata.context": `${context}/$entity`, ...item })
})

const remove = Effect.fnUntraced(function* ({ collection }: Call, key: Key) {
  collection.remove((yield* find(collection, key)).id)
  return noContent
})

const list = Effect.fnUntraced(function* ({ collection, request, base }: Call, context: string) {
  const { matches, select, skip, top } = yield* Query.parse(request.query)
  const found = collection.items().filter(matches)
  const end = skip + top
  const next = new URLSearchParams(request.query)
  next.set("$skiptoken", `${end}`)
  return json(200, {
    "@odata.context": context,
    ...(end < found.length && {
      "@odata.nextLink": `${base.slice(0, -"/v1.0".length)}${request.path}?${next}`
    }),
    value: found.slice(skip, end).map(select)
  })
})

/** https://learn.microsoft.com/graph/api/application-upsert for what `Prefer: create-if-missing` asks. */
const change = Effect.fnUntraced(function* (
  { collection, now, request }: Call,
  key: Key,
  context: string
) {
  const { update } = collection
  if (update === undefined) return yield* notAllowed
  const body = yield* readBody(request)
  const item = lookUp(collection, key)
  if (item !== undefined) {
    yield* update(item.id, body)
    return noContent
  }
  const prefer = request.headers["prefer"]?.split(",").map((preference) => preference.trim())
  if (key.property === "id" || !prefer?.includes("create-if-missing")) {
    return yield* notFound(key.value)
  }
  const created = yield* collection.create({ ...body, [key.property]: key.value }, now)
  return json(201, { "@odata.context": `${context}/$entity`, ...created })
})

const noContent: Response = { status: 204, headers: {}, body: "" }

const notAllowed = new GraphError({
  status: 405,
  code: "Request_BadRequest",
  message: "Specified HTTP method is not allowed for the request target."
})
