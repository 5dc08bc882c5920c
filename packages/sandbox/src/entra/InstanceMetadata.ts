/**
 * Azure's instance metadata service, as far as it hands out a managed identity's tokens.
 *
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as AccessToken from "./AccessToken.ts"
import * as Directory from "./Directory.ts"
import type { Tenant } from "./TokenEndpoint.ts"

export interface ManagedIdentity {
  readonly clientId: string
  /** The object id: a token's subject. */
  readonly principalId: string
  readonly resourceId: string
  /** The directory that it lives in. */
  readonly tenantId: string
  /** What its tokens name as their issuer. */
  readonly issuer: string
}

/** @param tenantId Default: the sandbox's. */
export const makeIdentity = (
  tenant: Tenant,
  base: string,
  tenantId: string = tenant.directory.tenantId
): ManagedIdentity => ({
  clientId: randomUUID(),
  principalId: randomUUID(),
  resourceId: `/subscriptions/${randomUUID()}/resourcegroups/sandbox/providers/Microsoft.ManagedIdentity/userAssignedIdentities/workload`,
  tenantId,
  issuer: `${base}/${tenantId}/v2.0`
})

/** In seconds: the platform's tokens live for a day. */
const lifetime = 24 * 3600

export interface Options {
  readonly tenant: Tenant
  /** Those that are assigned to this machine. */
  readonly managedIdentities: ReadonlySet<ManagedIdentity>
  readonly clock: ServiceClock
}

export const make = ({ clock, managedIdentities, tenant }: Options): Service => {
  const answer = Effect.fnUntraced(function* (request: Request) {
    const { headers, query } = request
    if (headers["metadata"]?.toLowerCase() !== "true" || headers["x-forwarded-for"] !== undefined)
      return refused("bad_request_102", "Required metadata header not specified")
    if (query.get("api-version") !== "2018-02-01")
      return refused("invalid_request", "'api-version' is missing or not supported")
    const resource = query.get("resource")
    if (!resource) return refused("invalid_request", "'resource' is a required parameter")
    const named = [...managedIdentities].filter(
      ({ clientId, principalId, resourceId }) =>
        (query.get("client_id") ?? clientId) === clientId &&
        (query.get("object_id") ?? principalId) === principalId &&
        (query.get("msi_res_id") ?? resourceId).toLowerCase() === resourceId.toLowerCase()
    )
    const [identity, more] = named
    if (identity === undefined) return refused("invalid_request", "Identity not found")
    if (more !== undefined)
      return refused("invalid_request", "Multiple user assigned identities exist, please specify")
    const target = [...tenant.directory.servicePrincipals.values()].find(({ value }) =>
      value.servicePrincipalNames.includes(resource)
    )?.value
    if (target === undefined) {
      return refused(
        "invalid_resource",
        `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${identity.tenantId}.`
      )
    }
    const now = yield* clock.now("entra")
    const token = yield* AccessToken.mint(tenant.keys, {
      issuer: identity.issuer,
      tenantId: identity.tenantId,
      // The exchange's tokens are of version 2, which names the resource by its id.
      audience: target.appId === Directory.exchangeAppId ? target.appId : resource,
      client: {
        id: identity.principalId,
        appId: identity.clientId,
        displayName: "workload",
        proof: "platform",
        resourceId: identity.resourceId
      },
      lifetime,
      now
    })
    return json(200, {
      access_token: token,
      client_id: identity.clientId,
      expires_in: `${lifetime}`,
      expires_on: `${seconds(now) + lifetime}`,
      ext_expires_in: `${lifetime}`,
      not_before: `${seconds(now) - AccessToken.backdating}`,
      resource,
      token_type: "Bearer"
    })
  })

  return {
    name: "imds",
    route: (request) =>
      request.method === "GET" && /^\/metadata\/identity\/oauth2\/token\/?$/i.test(request.path)
        ? { endpoint: "imds.token", answer: answer(request) }
        : undefined,
    failure: (_request, failure) => {
      const status = failure === "throttled" ? 429 : failure
      return Effect.succeed(refused("unknown", "The service cannot answer now", status))
    }
  }
}

const refused = (error: string, description: string, status = 400) =>
  json(status, { error, error_description: description })
