/** https://learn.microsoft.com/graph/api/resources/federatedidentitycredential */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Directory from "../entra/Directory.ts"
import type { Collection } from "./Collection.ts"
import { badRequest, duplicate, GraphError } from "./GraphError.ts"
import { permissions } from "./permissions.ts"
import * as Properties from "./Properties.ts"

/** How many one application may have. */
const maximumCount = 20

/** The longest issuer, subject, audience and description, in characters. */
const maximumLength = 600

type Written = Omit<Directory.FederatedCredential, "id">

const writable: Properties.Writable<Written> = {
  name: Predicate.isString,
  issuer: Properties.isText(maximumLength, 1),
  subject: Properties.isText(maximumLength, 1),
  audiences: Properties.isList(Properties.isText(maximumLength, 1)),
  description: Properties.isNullable(Properties.isText(maximumLength))
}

const type = "FederatedIdentityCredential"

/** The credentials of one application. */
export const make = (
  directory: Directory.Directory,
  application: Pick<Directory.Application, "id">
): Collection => {
  const table = Directory.credentialsOf(directory, application.id)
  const items = () => [...table.values()].map(({ value }) => value)

  /** Issuer and subject together belong to one credential only. */
  const check = Effect.fnUntraced(function* (fields: Partial<Written>, id?: string) {
    const { audiences, issuer, subject } = fields
    if (audiences !== undefined && audiences.length !== 1) {
      return yield* badRequest("Federated identity credentials must have exactly one audience.")
    }
    const taken = items().some(
      (other) => other.id !== id && other.issuer === issuer && other.subject === subject
    )
    if (taken) {
      return yield* duplicate(
        "FederatedIdentityCredential with the same issuer and subject already exists."
      )
    }
  })

  return {
    context: `applications('${application.id}')/federatedIdentityCredentials`,
    keys: ["name"],
    permissions,
    items,
    create: Effect.fnUntraced(function* (body, now) {
      const fields = yield* Properties.required(
        type,
        yield* Properties.read(type, writable, body),
        ["name", "issuer", "subject", "audiences"]
      )
      const { description = null, name } = fields
      if (!/^[a-z0-9][a-z0-9_-]{2,119}$/i.test(name)) {
        return yield* badRequest(`Federated Identity Credential name '${name}' is invalid.`)
      }
      if (items().some((other) => other.name === name)) {
        return yield* duplicate(`FederatedIdentityCredential with name ${name} already exists.`)
      }
      yield* check(fields)
      if (table.size >= maximumCount) {
        return yield* new GraphError({
          status: 403,
          code: "Directory_QuotaExceeded",
          message: `An application may have at most ${maximumCount} federated identity credentials.`
        })
      }
      return Directory.put(table, { ...fields, id: randomUUID(), description }, now)
    }),
    update: Effect.fnUntraced(function* (id, body) {
      const changes = yield* Properties.read(type, writable, body)
      const current = table.get(id)?.value
      if (current === undefined) return
      if (changes.name !== undefined && changes.name !== current.name) {
        return yield* badRequest("The name of a federated identity credential cannot be changed.")
      }
      yield* check({ ...current, ...changes }, id)
      Directory.update(table, id, changes)
    }),
    remove: (id) => void table.delete(id)
  }
}
