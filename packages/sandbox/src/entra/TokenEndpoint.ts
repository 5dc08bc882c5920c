/**
 * Entra's token endpoint, for clients with a foreign assertion: client credentials, and on behalf of users.
 *
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"
import type { KeyRing } from "../KeyRing.ts"
import { form, json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import { correlationId, headers, refuse } from "./Aadsts.ts"
import * as AccessToken from "./AccessToken.ts"
import * as Directory from "./Directory.ts"
import * as FederatedCredentials from "./FederatedCredentials.ts"
import * as OnBehalfOf from "./OnBehalfOf.ts"

export interface Tenant {
  readonly directory: Directory.Directory
  /** The authority's base URL. */
  readonly authority: string
  readonly issuer: string
  readonly keys: KeyRing
  readonly issuerKeys: IssuerKeys
  /** How long access tokens live, in seconds. */
  readonly tokenLifetime: number
  /** How far clocks may disagree, in milliseconds. */
  readonly clockTolerance: number
  /** What the token endpoint sees: what was made until this time, epoch milliseconds. */
  readonly seenUntil: (now: number) => number
  /** Tokens of clients that can answer a challenge are taken from then on. Seconds since the epoch. */
  revokedAt: number
}

/** 1 is the endpoint without `v2.0` in its path: `resource` in place of `scope`, numbers as strings. */
export type Version = 1 | 2

/** How long tokens live that can be revoked at once, in seconds: a day at the least. */
const revocableLifetime = 24 * 3600

/** Tokens that live longer than this, in seconds, come with a `refresh_in`. */
const longLived = 2 * 3600

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/** The answer to a request for a token. */
export const answer = Effect.fnUntraced(function* (
  tenant: Tenant,
  request: Request,
  options: { readonly tenant: string; readonly version: Version; readonly now: number }
) {
  const { now, version } = options
  if (request.method !== "POST") return yield* refuse("onlyPost", { method: request.method })
  yield* checkTenant(tenant, options.tenant)
  const parameters = yield* readForm(request)
  const grant = yield* required(parameters, "grant_type")
  if (grant !== "client_credentials" && grant !== jwtBearer)
    return yield* refuse("unsupportedGrant", { grant })
  if (isShared(options.tenant)) return yield* refuse("grantNeedsTenant")
  const clientId = yield* required(parameters, "client_id")
  const user = grant === jwtBearer ? yield* readUserToken(parameters) : undefined
  const { resource: audience, wanted } =
    user === undefined || version === 1
      ? { resource: yield* readAudience(parameters, version), wanted: [".default"] }
      : yield* OnBehalfOf.read(yield* required(parameters, "scope"))
  const { capabilities, notBefore } = yield* readClaims(parameters)

  const seen = tenant.seenUntil(now)
  const { application, client } = yield* findClient(tenant, clientId, seen)
  const assertion = yield* readAssertion(parameters, application)
  yield* FederatedCredentials.accept(assertion, {
    application,
    credentials: Directory.seen(Directory.credentialsOf(tenant.directory, application.id), seen),
    issuerKeys: tenant.issuerKeys,
    authority: tenant.authority,
    ownIssuers: [tenant.issuer, `https://sts.windows.net/${tenant.directory.tenantId}/`],
    clockTolerance: tenant.clockTolerance,
    now
  })
  const resource = yield* findResource(tenant, audience, seen)
  const permissions =
    user === undefined
      ? { roles: yield* findRoles(tenant, client, resource, seen) }
      : {
          delegated: {
            user: yield* OnBehalfOf.accept(user, tenant, application, now),
            scopes: yield* OnBehalfOf.permissions(tenant.directory, application, resource, wanted)
          }
        }

  const lifetime = capabilities.includes("cp1")
    ? Math.max(tenant.tokenLifetime, revocableLifetime)
    : tenant.tokenLifetime
  const token = yield* AccessToken.mint(tenant.keys, {
    issuer: tenant.issuer,
    tenantId: tenant.directory.tenantId,
    audience,
    client,
    ...permissions,
    ...(notBefore !== undefined && { notBefore }),
    ...(capabilities.length > 0 && { capabilities }),
    lifetime,
    now
  })
  const { delegated } = permissions
  const scope = delegated?.scopes.map((value) => `${audience}/${value}`).join(" ")
  return json(
    200,
    version === 2
      ? { ...issued(token, lifetime), ...(scope !== undefined && { scope }) }
      : issuedAsText(token, lifetime, audience, now),
    headers(correlationId(request, parameters))
  )
})

const issued = (token: string, lifetime: number) => ({
  token_type: "Bearer",
  expires_in: lifetime,
  ext_expires_in: lifetime,
  ...(lifetime > longLived && { refresh_in: Math.floor(lifetime / 2) }),
  access_token: token
})

/** The older endpoint's answer: every number is a string, and there are more of them. */
const issuedAsText = (token: string, lifetime: number, resource: string, now: number) => ({
  ...Object.fromEntries(
    Object.entries(issued(token, lifetime)).map(([name, value]) => [name, `${value}`])
  ),
  expires_on: `${seconds(now) + lifetime}`,
  not_before: `${seconds(now) - AccessToken.backdating}`,
  resource
})

/** Whether the name in the path stands for more than one tenant. */
export const isShared = (tenant: string): boolean =>
  /^(common|organizations|consumers)$/i.test(tenant)

/** The tenant by id or by domain, without regard to case; the shared names pass. */
export const checkTenant = Effect.fnUntraced(function* (
  { directory }: Pick<Tenant, "directory">,
  tenant: string
) {
  const name = tenant.toLowerCase()
  if (isShared(name) || name === directory.tenantId || name === directory.domain) return
  return yield* /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$|^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name)
    ? refuse("unknownTenant", { tenant })
    : refuse("notATenant", { tenant })
})

/** The body's parameters, each at most once (RFC 6749 §3.2); one without a value is as if absent. */
const readForm = Effect.fnUntraced(function* (request: Request) {
  if (/%(?![0-9a-f]{2})/i.test(request.body.toString("latin1"))) {
    return yield* refuse("malformedRequest")
  }
  const parameters = form(request)
  for (const name of new Set(parameters.keys())) {
    if (parameters.getAll(name).length > 1) return yield* refuse("doubledParameter", { name })
  }
  return parameters
})

const required = Effect.fnUntraced(function* (parameters: URLSearchParams, name: string) {
  const value = parameters.get(name)
  return value ? value : yield* refuse("missingParameter", { name })
})

/** What `claims` demands of the access token (OpenID Connect Core §5.5), as far as it changes one here. */
const readClaims = Effect.fnUntraced(function* (parameters: URLSearchParams) {
  const claims = decodeClaims(parameters.get("claims") || "{}")
  if (claims === undefined) return yield* refuse("malformedRequest")
  const { nbf, xms_cc: client } = claims.access_token ?? {}
  return {
    capabilities: client?.values ?? [],
    notBefore: nbf?.value === undefined ? undefined : Number(nbf.value)
  }
})

const decodeClaims = flow(
  Schema.decodeUnknownOption(
    Schema.fromJsonString(
      Schema.Struct({
        access_token: Schema.optionalKey(
          Schema.Struct({
            nbf: Schema.optionalKey(
              Schema.Struct({ value: Schema.String.check(Schema.isPattern(/^\d{1,12}$/)) })
            ),
            xms_cc: Schema.optionalKey(Schema.Struct({ values: Schema.Array(Schema.String) }))
          })
        )
      })
    )
  ),
  Option.getOrUndefined
)

/** What the token is asked for: one resource, as the caller names it. */
const readAudience = Effect.fnUntraced(function* (parameters: URLSearchParams, version: Version) {
  if (version === 1) return yield* required(parameters, "resource")
  if (parameters.get("resource")) return yield* refuse("resourceParameter")
  const scope = yield* required(parameters, "scope")
  const scopes = scope.split(" ").filter((part) => part !== "")
  const suffix = "/.default"
  if (!scopes.every((part) => part.endsWith(suffix))) {
    return yield* refuse("noDefaultScope", { scope })
  }
  // A resource that ends in a slash gives two before `.default`, and keeps its own.
  const resources = new Set(scopes.map((part) => part.slice(0, -suffix.length)))
  if (resources.size > 1) return yield* refuse("twoResources", { scope })
  const [resource] = resources
  return resource ? resource : yield* refuse("badScope", { scope })
})

/** The application and its service principal in this tenant, when both have spread so far. */
const findClient = Effect.fnUntraced(function* (
  { directory }: Tenant,
  clientId: string,
  before: number
) {
  const id = clientId.toLowerCase()
  const application = Directory.seen(directory.applications, before).find(
    ({ appId }) => appId === id
  )
  if (application === undefined) {
    return yield* refuse("unknownApplication", {
      client: clientId,
      tenant: directory.displayName
    })
  }
  const client = Directory.seen(directory.servicePrincipals, before).find(
    ({ appId }) => appId === id
  )
  if (client === undefined) {
    return yield* refuse("noServicePrincipal", {
      client: clientId,
      tenant: directory.tenantId
    })
  }
  if (!client.accountEnabled) {
    return yield* refuse("disabledApplication", {
      client: clientId,
      name: application.displayName
    })
  }
  return { application, client }
})

const readAssertion = Effect.fnUntraced(function* (
  parameters: URLSearchParams,
  { appId, isFallbackPublicClient }: Directory.Application
) {
  const assertion = parameters.get("client_assertion")
  const secret = parameters.get("client_secret")
  if (!assertion && !secret) return yield* refuse("noClientCredential")
  if (isFallbackPublicClient === true) return yield* refuse("publicClient")
  // No application here has a secret.
  if (!assertion) return yield* refuse("wrongSecret", { client: appId })
  const type = yield* required(parameters, "client_assertion_type")
  if (type !== assertionType) return yield* refuse("wrongAssertionType")
  return Redacted.make(assertion)
})

/** The user's token of a request on a user's behalf. */
const readUserToken = Effect.fnUntraced(function* (parameters: URLSearchParams) {
  const use = yield* required(parameters, "requested_token_use")
  if (use !== "on_behalf_of") return yield* refuse("malformedRequest")
  return yield* required(parameters, "assertion")
})

const findResource = Effect.fnUntraced(function* (
  { directory }: Tenant,
  audience: string,
  before: number
) {
  const resource = Directory.seen(directory.servicePrincipals, before).find(
    ({ servicePrincipalNames }) => servicePrincipalNames.includes(audience)
  )
  if (resource === undefined) {
    return yield* refuse("unknownResource", {
      resource: audience,
      tenant: directory.displayName
    })
  }
  if (!resource.accountEnabled) return yield* refuse("disabledResource", { resource: audience })
  return resource
})

/** The app roles of the resource that the client was granted. */
const findRoles = Effect.fnUntraced(function* (
  { directory }: Tenant,
  client: Directory.ServicePrincipal,
  resource: Directory.ServicePrincipal,
  before: number
) {
  const granted = Directory.seen(directory.assignments, before).filter(
    ({ principalId, resourceId }) => principalId === client.id && resourceId === resource.id
  )
  if (resource.appRoleAssignmentRequired && granted.length === 0) {
    return yield* refuse("notAssigned", {
      client: client.appId,
      name: client.displayName,
      resource: resource.appId,
      resourceName: resource.displayName
    })
  }
  return resource.appRoles
    .filter(({ id }) => granted.some(({ appRoleId }) => appRoleId === id))
    .map(({ value }) => value)
})
