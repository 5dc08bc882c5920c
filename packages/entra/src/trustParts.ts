/** The parts of Entra's half of a trust, as Microsoft Graph keeps them. */
import {
  Assertion,
  FederationError,
  inConfiguration as failing,
  Misconfigured,
  Rejected
} from "@federate/core"
import type { Found, Prerequisite, Resource } from "@federate/trust"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { graphAppId, isGraph, orNothing } from "./graph.ts"
import type { Call, Graph, Properties } from "./graph.ts"

/** Where the parts are, and by which right and mark. */
export interface Directory {
  readonly graph: Graph
  readonly token: Effect.Effect<Redacted.Redacted, FederationError>
  /** Among the tags, or the description, of what is ours. */
  readonly mark: string
  readonly flow: string
}

const side = "Microsoft Entra"

export const inConfiguration = failing("entra")

const call = ({ graph, token }: Directory, asked: Call) =>
  Effect.flatMap(token, (held) => inConfiguration(graph.call(held, asked)))

const find = ({ graph, token }: Directory, path: string) =>
  Effect.flatMap(token, (held) => inConfiguration(orNothing(graph.call(held, { path }))))

const list = ({ graph, token }: Directory, path: string) =>
  Effect.flatMap(token, (held) => inConfiguration(graph.list(held, path)))

/** Gone is gone, whoever did it. */
const remove = ({ graph, token }: Directory, path: string) =>
  Effect.flatMap(token, (held) =>
    Effect.asVoid(inConfiguration(orNothing(graph.call(held, { method: "DELETE", path }))))
  )

const misconfigured = (setting: string, problem: string, hint: string) =>
  inConfiguration(Effect.fail(new Misconfigured({ setting, problem, hint })))

const text = (properties: Properties | undefined, name: string): string => {
  const value = properties?.[name]
  return typeof value === "string" ? value : ""
}

const texts = (properties: Properties, name: string): ReadonlyArray<string> => {
  const value = properties[name]
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : []
}

const objects = (properties: Properties | undefined, name: string): ReadonlyArray<Properties> => {
  const value = properties?.[name]
  return Array.isArray(value) ? value : []
}

/** What the directory has not heard of yet, and says so as if it were wrong: it was made a moment ago. */
const notHeardOfYet = <A>(written: Effect.Effect<A, FederationError>) =>
  Effect.mapError(written, (error) => {
    const { adapter, reason, stage } = error
    return reason._tag === "Rejected" && reason.status === 400
      ? new FederationError({
          adapter,
          stage,
          reason: new Rejected({ ...reason, remedy: "waitForTrust" })
        })
      : error
  })

/** Quoted for OData. */
const quoted = (value: string): string => `'${encodeURIComponent(value.replaceAll("'", "''"))}'`

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whose directory it is, as the token says: an app that is made in another tenant than the flow asks is found by nobody. */
export const tenant = (directory: Directory, written: string): Prerequisite => ({
  side,
  kind: "tenant",
  name: "the administrator's",
  makes: ["tenantId"],
  ask: Effect.fnUntraced(function* ({ tenantId }) {
    const token = yield* directory.token
    const decoded = Assertion.fromJwt(token, { obtainedAt: 0 })
    const claim = Result.isSuccess(decoded) ? decoded.success.claims["tid"] : undefined
    const own = typeof claim === "string" && guid.test(claim) ? claim : undefined
    if (tenantId === undefined && own === undefined) {
      return yield* misconfigured(
        "tenantId",
        `${written} is not set, and the token for Microsoft Graph does not tell its tenant`,
        "Set it to the directory (tenant) id."
      )
    }
    if (tenantId !== undefined && guid.test(tenantId) && own !== undefined) {
      if (own.toLowerCase() !== tenantId.toLowerCase()) {
        return yield* misconfigured(
          "tenantId",
          `is "${tenantId}", and the token for Microsoft Graph is of the tenant "${own}"`,
          "Take a token of the flow's tenant: `az login --tenant`; or correct the setting."
        )
      }
    }
    return { tenantId: tenantId ?? own ?? "" }
  })
})

const shown = "id,appId,displayName,signInAudience,tags"

/** https://learn.microsoft.com/graph/api/resources/application */
export const application = (directory: Directory, displayName: string): Resource => ({
  side,
  kind: "application",
  name: displayName,
  makes: ["clientId", "applicationId"],
  own: ["displayName", "signInAudience", "tags"],
  desired: () => ({ displayName, signInAudience: "AzureADMyOrg", tags: [directory.mark] }),
  read: Effect.fnUntraced(function* ({ clientId }) {
    const found =
      clientId === undefined
        ? yield* named(directory, displayName)
        : yield* find(directory, `applications(appId=${quoted(clientId)})?$select=${shown}`)
    return (
      found &&
      foundAs(directory, found, ["displayName", "signInAudience"], {
        clientId: text(found, "appId"),
        applicationId: text(found, "id")
      })
    )
  }),
  create: (body) => Effect.asVoid(call(directory, { method: "POST", path: "applications", body })),
  update: ({ known: { applicationId } }, { displayName: name, signInAudience }) =>
    Effect.asVoid(
      call(directory, {
        method: "PATCH",
        path: `applications/${applicationId}`,
        body: { displayName: name, signInAudience }
      })
    ),
  remove: ({ known: { applicationId } }) => remove(directory, `applications/${applicationId}`)
})

/** The one of that name; where there are several, the one that bears our mark. */
const named = Effect.fnUntraced(function* (directory: Directory, displayName: string) {
  const all = yield* list(
    directory,
    `applications?$filter=displayName eq ${quoted(displayName)}&$select=${shown}`
  )
  const ours = all.filter((each) => texts(each, "tags").includes(directory.mark))
  const [first, ...more] = ours.length > 0 ? ours : all
  if (more.length === 0) return first
  return yield* misconfigured(
    `trust.${directory.flow}.exchanger.application`,
    `${more.length + 1} apps are called "${displayName}"${ours.length > 0 ? " and bear this flow's mark" : ""}: ${[first, ...more].map((each) => text(each, "appId")).join(", ")}`,
    "Write the client id of the one that is meant in `clientId`, or choose another name."
  )
})

/** What bears our mark among its tags: of those only the mark matters. */
const foundAs = (
  { mark }: Directory,
  properties: Properties,
  members: ReadonlyArray<string>,
  known: Found["known"]
): Found => {
  const isOurs = texts(properties, "tags").includes(mark)
  return {
    state: {
      ...Object.fromEntries(members.map((member) => [member, properties[member]])),
      tags: isOurs ? [mark] : []
    },
    known,
    isOurs
  }
}

/** https://learn.microsoft.com/graph/api/resources/serviceprincipal */
export const servicePrincipal = (directory: Directory, name: string): Resource => ({
  side,
  kind: "service principal",
  name,
  makes: ["servicePrincipalId"],
  own: ["tags"],
  desired: (of) => ({ appId: of("clientId"), accountEnabled: true, tags: [directory.mark] }),
  read: Effect.fnUntraced(function* ({ clientId }) {
    if (clientId === undefined) return undefined
    const found = yield* find(
      directory,
      `servicePrincipals(appId=${quoted(clientId)})?$select=id,appId,accountEnabled,tags`
    )
    return (
      found &&
      foundAs(directory, found, ["appId", "accountEnabled"], {
        servicePrincipalId: text(found, "id")
      })
    )
  }),
  create: (body) =>
    Effect.asVoid(
      notHeardOfYet(call(directory, { method: "POST", path: "servicePrincipals", body }))
    ),
  update: ({ known: { servicePrincipalId } }, { accountEnabled }) =>
    Effect.asVoid(
      call(directory, {
        method: "PATCH",
        path: `servicePrincipals/${servicePrincipalId}`,
        body: { accountEnabled }
      })
    ),
  remove: ({ known: { servicePrincipalId } }) =>
    remove(directory, `servicePrincipals/${servicePrincipalId}`)
})

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
const mostCredentials = 20

/** https://learn.microsoft.com/graph/api/resources/federatedidentitycredential */
export const federatedCredential = (directory: Directory, name: string): Resource => {
  const { mark } = directory
  const path = (applicationId: string | undefined) =>
    `applications/${applicationId}/federatedIdentityCredentials`
  const isFor = (credential: Properties, issuer: unknown, subject: unknown) =>
    credential["issuer"] === issuer && credential["subject"] === subject

  /** Graph would refuse it with less to go by. */
  const checked = Effect.fnUntraced(function* (
    applicationId: string | undefined,
    { issuer, subject }: Properties,
    own?: unknown
  ) {
    const others = (yield* list(directory, path(applicationId))).filter(({ id }) => id !== own)
    const same = others.find((each) => isFor(each, issuer, subject))
    if (same !== undefined) {
      return yield* misconfigured(
        `the federated credential ${text(same, "name")}`,
        "has the same issuer and subject, and an app may have them once",
        `Delete it, or write its name in trust.${directory.flow}.exchanger.credential.`
      )
    }
    if (own === undefined && others.length >= mostCredentials) {
      return yield* misconfigured(
        "the app",
        `has ${mostCredentials} federated credentials already, as many as it may: ${others.map((each) => text(each, "name")).join(", ")}`,
        `Delete one that nobody needs, or take another app: trust.${directory.flow}.exchanger.application.`
      )
    }
  })

  return {
    side,
    kind: "federated credential",
    name,
    makes: [],
    own: ["name", "description"],
    desired: (of) => ({
      name,
      issuer: of("iss"),
      subject: of("sub"),
      audiences: [of("aud")],
      description: mark
    }),
    read: Effect.fnUntraced(function* ({ applicationId, iss, sub }) {
      if (applicationId === undefined) return undefined
      const all = yield* list(directory, path(applicationId))
      const found =
        all.find((each) => each["name"] === name) ?? all.find((each) => isFor(each, iss, sub))
      return found && { state: found, known: {}, isOurs: found["description"] === mark }
    }),
    create: Effect.fnUntraced(function* (body, { applicationId }) {
      yield* checked(applicationId, body)
      yield* call(directory, { method: "POST", path: path(applicationId), body })
    }),
    update: Effect.fnUntraced(function* ({ state }, desired, { applicationId }) {
      yield* checked(applicationId, desired, state["id"])
      const { name: _, ...body } = desired
      yield* call(directory, {
        method: "PATCH",
        path: `${path(applicationId)}/${text(state, "id")}`,
        body
      })
    }),
    remove: ({ state }, { applicationId }) =>
      remove(directory, `${path(applicationId)}/${text(state, "id")}`)
  }
}

/** An app role as it is written: of which resource (its client id or an URI of its), and its name. */
export interface Role {
  readonly resource: string
  readonly role: string
}

const idsOf = ({ resource, role }: Role) => ({
  resourceId: `resourceId/${resource}`,
  appRoleId: `appRoleId/${resource}/${role}`
})

const isOf = ({ resource }: Role, scope: string): boolean => {
  const asked = scope.replace(/\/\.default$/, "")
  return asked === resource || (resource === graphAppId && isGraph(asked))
}

/** What a resource offers, looked up by its name. */
export const appRole = (directory: Directory, wanted: Role): Prerequisite => {
  const { resource, role } = wanted
  const ids = idsOf(wanted)
  const select = "$select=id,displayName,appRoles"
  return {
    side,
    kind: "app role",
    name: role,
    makes: Object.values(ids),
    ask: Effect.fnUntraced(function* () {
      const found = guid.test(resource)
        ? yield* find(directory, `servicePrincipals(appId=${quoted(resource)})?${select}`)
        : (yield* list(
            directory,
            `servicePrincipals?$filter=servicePrincipalNames/any(n:n eq ${quoted(resource)})&${select}`
          ))[0]
      const setting = `trust.${directory.flow}.exchanger.appRoles`
      if (found === undefined) {
        return yield* misconfigured(
          setting,
          `"${resource}" is no resource of this tenant`,
          "Write <resource>/<role> with the resource's client id or App ID URI, as its app registration has it."
        )
      }
      const offered = objects(found, "appRoles")
      const one = offered.find((each) => each["value"] === role)
      if (one === undefined) {
        const like = offered
          .map((each) => text(each, "value"))
          .filter((value) => value.toLowerCase() === role.toLowerCase())
        return yield* misconfigured(
          setting,
          `${text(found, "displayName")} has no app role "${role}"`,
          like.length > 0
            ? `Write ${like.join(" or ")}.`
            : "App roles are permissions of the type Application, not delegated ones: take the name from the resource's documentation."
        )
      }
      return { [ids.resourceId]: text(found, "id"), [ids.appRoleId]: text(one, "id") }
    })
  }
}

/** https://learn.microsoft.com/graph/api/resources/approleassignment */
export const appRoleAssignment = (
  directory: Directory,
  wanted: Role,
  scopes: ReadonlyArray<string> = []
): Resource => {
  const ids = idsOf(wanted)
  const path = (resourceId: unknown) => `servicePrincipals/${String(resourceId)}/appRoleAssignedTo`
  return {
    side,
    kind: "app role assignment",
    name: wanted.role,
    makes: [],
    // A token is for one resource, and shows that one's roles alone.
    grants: scopes.some((scope) => isOf(wanted, scope)) ? wanted.role : undefined,
    own: [],
    desired: (of) => ({
      principalId: of("servicePrincipalId"),
      resourceId: of(ids.resourceId),
      appRoleId: of(ids.appRoleId)
    }),
    read: Effect.fnUntraced(function* (known) {
      const { [ids.appRoleId]: appRoleId, [ids.resourceId]: resourceId, servicePrincipalId } = known
      if (servicePrincipalId === undefined) return undefined
      const all = yield* list(
        directory,
        `servicePrincipals/${servicePrincipalId}/appRoleAssignments`
      )
      const found = all.find(
        (each) => each["appRoleId"] === appRoleId && each["resourceId"] === resourceId
      )
      if (found === undefined) return undefined
      // It bears no mark of its own: it is as much ours as who it was granted to.
      const holder = yield* find(directory, `servicePrincipals/${servicePrincipalId}?$select=tags`)
      const isOurs = holder !== undefined && texts(holder, "tags").includes(directory.mark)
      return { state: found, known: {}, isOurs }
    }),
    create: (body) =>
      Effect.asVoid(
        notHeardOfYet(call(directory, { method: "POST", path: path(body["resourceId"]), body }))
      ),
    // It is what it is made of: one that differs is another.
    update: () => Effect.void,
    remove: ({ state }) => remove(directory, `${path(state["resourceId"])}/${text(state, "id")}`)
  }
}
