/** https://learn.microsoft.com/graph/api/resources/application */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Directory from "../entra/Directory.ts"
import type { Collection } from "./Collection.ts"
import { duplicate } from "./GraphError.ts"
import { permissions } from "./permissions.ts"
import * as Properties from "./Properties.ts"

type Written = Pick<
  Directory.Application,
  | "displayName"
  | "uniqueName"
  | "signInAudience"
  | "identifierUris"
  | "appRoles"
  | "requiredResourceAccess"
  | "isFallbackPublicClient"
  | "description"
  | "notes"
  | "tags"
>

const isAppRole = (value: unknown): value is Directory.AppRole =>
  Predicate.isObject(value) &&
  Properties.isGuid(value["id"]) &&
  Properties.isText(250, 1)(value["value"]) &&
  Properties.isText(100, 1)(value["displayName"]) &&
  Properties.isText(1000, 1)(value["description"]) &&
  Properties.isList(Predicate.isString)(value["allowedMemberTypes"]) &&
  Predicate.isBoolean(value["isEnabled"])

const audiences = ["AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"]

const writable: Properties.Writable<Written> = {
  displayName: Properties.isText(256, 1),
  uniqueName: Properties.isNullable(Properties.isText(120, 1)),
  signInAudience: (value): value is string => audiences.some((audience) => audience === value),
  identifierUris: Properties.isList(Properties.isText(255, 1)),
  appRoles: Properties.isList(isAppRole),
  requiredResourceAccess: (value): value is ReadonlyArray<unknown> => Array.isArray(value),
  isFallbackPublicClient: Properties.isNullable(Predicate.isBoolean),
  description: Properties.isNullable(Properties.isText(1024)),
  notes: Properties.isNullable(Properties.isText(1024)),
  tags: Properties.isList(Properties.isText(256))
}

export const make = (directory: Directory.Directory): Collection => {
  const items = () => [...directory.applications.values()].map(({ value }) => value)

  /** Names that only one application may have. */
  const checkUnique = Effect.fnUntraced(function* (fields: Partial<Written>, id?: string) {
    const others = items().filter((other) => other.id !== id)
    const { identifierUris = [], uniqueName } = fields
    if (uniqueName != null && others.some((other) => other.uniqueName === uniqueName)) {
      return yield* duplicate(`Application with uniqueName ${uniqueName} already exists.`)
    }
    const taken = identifierUris.find((uri) =>
      others.some((other) => other.identifierUris.includes(uri))
    )
    if (taken !== undefined) {
      return yield* duplicate(
        `Another object with the same value for property identifierUris already exists: ${taken}`
      )
    }
  })

  return {
    context: "applications",
    keys: ["appId", "uniqueName"],
    permissions,
    items,
    create: Effect.fnUntraced(function* (body, now) {
      const written = yield* Properties.read("Application", writable, body)
      const fields = yield* Properties.required("Application", written, ["displayName"])
      yield* checkUnique(fields)
      return Directory.addApplication(directory, Directory.newApplication(fields, now), now)
    }),
    update: Effect.fnUntraced(function* (id, body) {
      const changes = yield* Properties.read("Application", writable, body)
      yield* checkUnique(changes, id)
      Directory.update(directory.applications, id, changes)
      const application = directory.applications.get(id)?.value
      for (const { value } of directory.servicePrincipals.values()) {
        if (application === undefined || value.appId !== application.appId) continue
        const { appRoles, displayName, servicePrincipalNames } =
          Directory.newServicePrincipal(application)
        Directory.update(directory.servicePrincipals, value.id, {
          appRoles,
          displayName,
          servicePrincipalNames
        })
      }
    }),
    remove: (id) => {
      const appId = directory.applications.get(id)?.value.appId
      directory.applications.delete(id)
      directory.credentials.delete(id)
      for (const { value } of directory.servicePrincipals.values()) {
        if (value.appId === appId) Directory.removeServicePrincipal(directory, value.id)
      }
    }
  }
}
