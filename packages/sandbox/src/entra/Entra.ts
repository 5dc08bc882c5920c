/** Microsoft Entra ID: discovery, keys, and the token endpoint. */
import * as Effect from "effect/Effect"
import * as KeyRing from "../KeyRing.ts"
import type { Endpoint } from "../kernel/Endpoint.ts"
import { document, form, matchPath } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Call, Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import { correlationId, EntraError, refuse, toResponse } from "./Aadsts.ts"
import type { ManagedIdentity } from "./ManagedIdentities.ts"
import { answer as answerToken, checkTenant, isShared } from "./TokenEndpoint.ts"
import type { Tenant } from "./TokenEndpoint.ts"

export interface Options {
  readonly tenant: Tenant
  /** Some live in other tenants, whose tokens can be verified as well. */
  readonly managedIdentities: ReadonlySet<ManagedIdentity>
  /** The authority's base URL: `https://localhost:8443`. */
  readonly base: string
  readonly clock: ServiceClock
}

type Answer = (
  request: Request,
  values: { readonly tenant: string; readonly now: number }
) => Effect.Effect<Response, EntraError>

interface Route {
  readonly endpoint: Endpoint
  /** Absent: any, for an endpoint that complains itself. */
  readonly method?: "GET"
  readonly path: string
  readonly answer: Answer
}

/**
 * It takes every request that is nobody else's: clients want Entra's errors in JSON on all of its paths, and an empty
 * 404 makes no sense to them.
 */
export const make = ({ base, clock, managedIdentities, tenant }: Options): Service => {
  /** Every tenant is published by the one's keys. */
  const checkPublished = (name: string) =>
    [...managedIdentities].some(({ tenantId }) => tenantId === name)
      ? Effect.void
      : checkTenant(tenant, name)

  const fail = Effect.fnUntraced(function* (request: Request, error: EntraError) {
    return toResponse(error, correlationId(request, form(request)), yield* clock.now("entra"))
  })

  const perform = (request: Request, name: string, answer: Answer): Effect.Effect<Response> =>
    clock.now("entra").pipe(
      Effect.flatMap((now) => answer(request, { tenant: name, now })),
      Effect.catch((error) => fail(request, error))
    )

  const routes: ReadonlyArray<Route> = [
    {
      endpoint: "entra.token",
      path: "/{tenant}/oauth2/v2.0/token",
      answer: (request, values) => answerToken(tenant, request, { ...values, version: 2 })
    },
    {
      endpoint: "entra.token",
      path: "/{tenant}/oauth2/token",
      answer: (request, values) => answerToken(tenant, request, { ...values, version: 1 })
    },
    {
      endpoint: "entra.discovery",
      method: "GET",
      path: "/{tenant}/v2.0/.well-known/openid-configuration",
      answer: (_request, values) =>
        Effect.as(checkPublished(values.tenant), document(discovery(base, tenant, values.tenant)))
    },
    {
      endpoint: "entra.keys",
      method: "GET",
      path: "/{tenant}/discovery/v2.0/keys",
      answer: (_request, values) =>
        Effect.andThen(checkPublished(values.tenant), Effect.map(jwks(tenant), document))
    },
    {
      endpoint: "entra.instance",
      method: "GET",
      path: "/common/discovery/instance",
      answer: (request) => instance(base, request)
    }
  ]

  const route = (request: Request): Call => {
    for (const { answer, endpoint, method, path } of routes) {
      const values = matchPath(path, request.path)
      if (values === undefined || (method !== undefined && method !== request.method)) continue
      return { endpoint, answer: perform(request, values["tenant"] ?? "common", answer) }
    }
    return { answer: fail(request, refuse("noSuchEndpoint")) }
  }

  return {
    name: "entra",
    route,
    failure: (request, failure) => {
      if (failure === "throttled" || failure === 429) {
        return fail(request, refuse("tooManyRequests"))
      }
      const { code, text } = refuse("transient")
      const error = failure === 503 ? "temporarily_unavailable" : "server_error"
      return fail(request, new EntraError({ code, text, error, status: failure }))
    }
  }
}

/** For `common` and its like the issuer is a template, as in Entra. */
const discovery = (base: string, { directory, issuer }: Tenant, name: string) => {
  const id = name === directory.domain ? directory.tenantId : name.toLowerCase()
  return {
    token_endpoint: `${base}/${id}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: [
      "client_secret_post",
      "private_key_jwt",
      "client_secret_basic"
    ],
    jwks_uri: `${base}/${id}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: id === directory.tenantId ? issuer : `${base}/${isShared(id) ? "{tenantid}" : id}/v2.0`,
    authorization_endpoint: `${base}/${id}/oauth2/v2.0/authorize`,
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "nonce", "tid", "ver"],
    tenant_region_scope: null,
    cloud_instance_name: "localhost",
    msgraph_host: new URL(base).host
  }
}

/** Entra's keys carry no `alg`. */
const jwks = ({ keys }: Tenant) =>
  Effect.map(Effect.forEach(keys.published(), KeyRing.toJwk), (published) => ({
    keys: published.map((key) => ({ ...key, x5t: key.kid }))
  }))

/** The authority hosts that MSAL may ask for besides this one. */
const knownHosts: ReadonlyArray<string> = [
  "login.microsoftonline.com",
  "login.microsoft.com",
  "login.windows.net",
  "sts.windows.net"
]

const instance = Effect.fnUntraced(function* (base: string, request: Request) {
  const asked = request.query.get("authorization_endpoint")
  if (asked === null || asked === "") {
    return yield* refuse("missingParameter", { name: "authorization_endpoint" })
  }
  const url = URL.parse(asked)
  const { host, port } = new URL(base)
  const hosts = [host, `127.0.0.1:${port}`, `[::1]:${port}`]
  if (url === null || ![...hosts, ...knownHosts].includes(url.host)) {
    return yield* refuse("unknownInstance")
  }
  const tenant = url.pathname.split("/")[1] ?? "common"
  return document({
    tenant_discovery_endpoint: `${url.origin}/${tenant}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [
      { preferred_network: host, preferred_cache: host, aliases: hosts },
      {
        preferred_network: "login.microsoftonline.com",
        preferred_cache: "login.windows.net",
        aliases: knownHosts
      }
    ]
  })
})
