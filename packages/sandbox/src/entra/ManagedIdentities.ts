/** The identities that a machine on Azure has, and the tokens that the platform hands out for them. */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { seconds } from "../kernel/ServiceClock.ts"
import * as AccessToken from "./AccessToken.ts"
import * as Directory from "./Directory.ts"
import type { Tenant } from "./TokenEndpoint.ts"

/** A user-assigned one. */
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
export const lifetime = 24 * 3600

/** The tenant has no such resource. */
class UnknownResource extends Data.TaggedError("UnknownResource")<{
  readonly description: string
}> {}

/** A token of an identity for a resource of the tenant. */
export const mint = Effect.fnUntraced(function* (
  tenant: Tenant,
  identity: ManagedIdentity,
  resource: string,
  /** Epoch milliseconds. */
  now: number
) {
  const target = [...tenant.directory.servicePrincipals.values()].find(({ value }) =>
    value.servicePrincipalNames.includes(resource)
  )?.value
  if (target === undefined) {
    return yield* new UnknownResource({
      description: `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${identity.tenantId}.`
    })
  }
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
  return {
    access_token: token,
    client_id: identity.clientId,
    expires_on: `${seconds(now) + lifetime}`,
    not_before: `${seconds(now) - AccessToken.backdating}`,
    resource,
    token_type: "Bearer"
  }
})
