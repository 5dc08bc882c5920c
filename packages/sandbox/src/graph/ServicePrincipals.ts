/** https://learn.microsoft.com/graph/api/resources/serviceprincipal */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Directory from "../entra/Directory.ts"
import type { Collection } from "./Collection.ts"
import { badRequest, duplicate } from "./GraphError.ts"
import { permissions } from "./permissions.ts"
import * as Properties from "./Properties.ts"

type Written = Pick<
  Directory.ServicePrincipal,
  "accountEnabled" | "appRoleAssignmentRequired" | "tags"
>

const writable: Properties.Writable<Written> = {
  accountEnabled: Predicate.isBoolean,
  appRoleAssignmentRequired: Predicate.isBoolean,
  tags: Properties.isList(Properties.isText(256))
}

const creatable: Properties.Writable<Written & { readonly appId: string }> = {
  ...writable,
  appId: Properties.isGuid
}

export const make = (directory: Directory.Directory): Collection => {
  const items = () => [...directory.servicePrincipals.values()].map(({ value }) => value)
  return {
    context: "servicePrincipals",
    keys: ["appId"],
    permissions,
    items,
    create: Effect.fnUntraced(function* (body, now) {
      const written = yield* Properties.read("ServicePrincipal", creatable, body)
      const { appId, ...fields } = yield* Properties.required("ServicePrincipal", written, [
        "appId"
      ])
      const entries = [...directory.applications.values()]
      const application = entries.find(({ value }) => value.appId === appId)?.value
      if (application === undefined) {
        return yield* badRequest(
          `The appId '${appId}' of the service principal does not reference a valid application object.`
        )
      }
      if (items().some((other) => other.appId === appId)) {
        return yield* duplicate(
          `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`
        )
      }
      return Directory.put(
        directory.servicePrincipals,
        Directory.newServicePrincipal(application, fields),
        now
      )
    }),
    update: Effect.fnUntraced(function* (id, body) {
      const changes = yield* Properties.read("ServicePrincipal", writable, body)
      Directory.update(directory.servicePrincipals, id, changes)
    }),
    remove: (id) => Directory.removeServicePrincipal(directory, id)
  }
}
