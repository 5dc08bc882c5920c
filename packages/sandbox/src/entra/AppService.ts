/**
 * The endpoint that App Service, Functions and Container Apps have for managed identities, on every instance.
 *
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
import { randomBytes, randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { mint } from "./ManagedIdentities.ts"
import type { Options } from "./InstanceMetadata.ts"

const path = "/msi/token"

/** The parameters that name an identity, and what they are compared with. */
const selectors = {
  client_id: "clientId",
  mi_res_id: "resourceId",
  object_id: "principalId",
  principal_id: "principalId"
} as const

/** @param base the sandbox's http base URL: the platform has no other */
export const make = ({ clock, managedIdentities, tenant }: Options, base: string) => {
  /** What the platform gives to the instance's own processes alone. */
  const secret = randomBytes(16).toString("hex").toUpperCase()

  const answer = Effect.fnUntraced(function* ({ headers, query }: Request) {
    if (headers["x-identity-header"] !== secret) return refused(401, "Unauthorized")
    if (query.get("api-version") !== "2019-08-01")
      return refused(400, "The api-version is missing or not supported.")
    const resource = query.get("resource")
    if (!resource) return refused(400, "The resource is missing.")
    const named = Object.entries(selectors).flatMap(([parameter, member]) => {
      const value = query.get(parameter)
      return value === null ? [] : [{ member, value }]
    })
    if (named.length > 1) return refused(400, "Only one of the identity's ids may be given.")
    const [selector] = named
    // Without one it is the instance's system-assigned identity that is asked for, and there is none.
    const identity =
      selector &&
      [...managedIdentities].find(
        ({ [selector.member]: id }) => id.toLowerCase() === selector.value.toLowerCase()
      )
    if (identity === undefined) {
      return refused(
        400,
        "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
      )
    }
    return yield* mint(tenant, identity, resource, yield* clock.now("entra")).pipe(
      Effect.map((token) => json(200, token)),
      Effect.catch(({ description }) => Effect.succeed(refused(400, description)))
    )
  })

  const service: Service = {
    name: "appservice",
    route: (request) =>
      request.method === "GET" && request.path.replace(/\/$/, "").toLowerCase() === path
        ? { endpoint: "appservice.token", answer: answer(request) }
        : undefined,
    failure: (_request, failure) =>
      Effect.succeed(
        refused(failure === "throttled" ? 429 : failure, "The service cannot answer now.")
      )
  }
  return { service, variables: { IDENTITY_ENDPOINT: `${base}${path}`, IDENTITY_HEADER: secret } }
}

const refused = (statusCode: number, message: string) =>
  json(statusCode, { statusCode, message, correlationId: randomUUID() })
