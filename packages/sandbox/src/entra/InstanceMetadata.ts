/**
 * Azure's instance metadata service, as far as it hands out a managed identity's tokens.
 *
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
import * as Effect from "effect/Effect"
import { json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import { lifetime, mint } from "./ManagedIdentities.ts"
import type { ManagedIdentity } from "./ManagedIdentities.ts"
import type { Tenant } from "./TokenEndpoint.ts"

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
    return yield* mint(tenant, identity, resource, yield* clock.now("entra")).pipe(
      Effect.map((token) =>
        json(200, { ...token, expires_in: `${lifetime}`, ext_expires_in: `${lifetime}` })
      ),
      Effect.catch(({ description }) => Effect.succeed(refused("invalid_resource", description)))
    )
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
