/** https://learn.microsoft.com/graph/api/resources/approleassignment */
import * as Effect from "effect/Effect"
import * as Directory from "../entra/Directory.ts"
import type { Collection } from "./Collection.ts"
import { badRequest, notFound } from "./GraphError.ts"
import { permissions } from "./permissions.ts"
import * as Properties from "./Properties.ts"

/** `appRoleAssignments` are what a client was granted, `appRoleAssignedTo` what a resource granted. */
export type Side = "appRoleAssignments" | "appRoleAssignedTo"

interface Written {
  readonly principalId: string
  readonly resourceId: string
  readonly appRoleId: string
}

const writable: Properties.Writable<Written> = {
  principalId: Properties.isGuid,
  resourceId: Properties.isGuid,
  appRoleId: Properties.isGuid
}

const type = "AppRoleAssignment"

/** The role of a resource that has none: access as such. */
const defaultRole = "00000000-0000-0000-0000-000000000000"

/** One service principal's grants, from either side. */
export const make = (
  directory: Directory.Directory,
  owner: Pick<Directory.ServicePrincipal, "id">,
  side: Side
): Collection => {
  const property = side === "appRoleAssignments" ? "principalId" : "resourceId"
  const all = () => [...directory.assignments.values()].map(({ value }) => value)
  return {
    context: side,
    keys: [],
    permissions: { read: permissions.read, write: permissions.grant },
    items: () => all().filter((assignment) => assignment[property] === owner.id),
    create: Effect.fnUntraced(function* (body, now) {
      const { appRoleId, principalId, resourceId } = yield* Properties.required(
        type,
        yield* Properties.read(type, writable, body),
        ["principalId", "resourceId", "appRoleId"]
      )
      if ({ principalId, resourceId }[property] !== owner.id) {
        return yield* badRequest(`${property} must be the service principal in the path.`)
      }
      const principal = directory.servicePrincipals.get(principalId)?.value
      if (principal === undefined) return yield* notFound(principalId)
      const resource = directory.servicePrincipals.get(resourceId)?.value
      if (resource === undefined) return yield* notFound(resourceId)
      if (appRoleId !== defaultRole && !resource.appRoles.some(({ id }) => id === appRoleId)) {
        return yield* badRequest(
          `Permission being assigned was not found on application '${resource.appId}'.`
        )
      }
      const held = all().some(
        (other) =>
          other.principalId === principalId &&
          other.resourceId === resourceId &&
          other.appRoleId === appRoleId
      )
      if (held) {
        return yield* badRequest("Permission being assigned already exists on the object.")
      }
      return Directory.put(
        directory.assignments,
        Directory.newAssignment(principal, resource, appRoleId, now),
        now
      )
    }),
    remove: (id) => void directory.assignments.delete(id)
  }
}
