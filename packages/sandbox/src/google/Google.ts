/** Google Cloud, as far as workloads are trusted by it: the STS, the IAM APIs, and the issuer of ID tokens. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as KeyRing from "../KeyRing.ts"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"
import type { Endpoint } from "../kernel/Endpoint.ts"
import { document, json, matchPath } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import { finished } from "./Call.ts"
import type { Call } from "./Call.ts"
import { ApiError, denied, envelope, invalid, toResponse } from "./GoogleError.ts"
import type { TokenServiceError } from "./GoogleError.ts"
import { generateAccessToken, generateIdToken } from "./IamCredentials.ts"
import { pools } from "./Pools.ts"
import type { Project } from "./Project.ts"
import { projects } from "./Projects.ts"
import { providers } from "./Providers.ts"
import { exchange } from "./SecurityTokenService.ts"
import { serviceAccounts } from "./ServiceAccounts.ts"
import type { Tokens } from "./Tokens.ts"

export interface Cloud {
  readonly project: Project
  readonly tokens: Tokens
  readonly issuerKeys: IssuerKeys
  /** What ID tokens are signed with. */
  readonly keys: KeyRing.KeyRing
  /** How far an assertion's clock may be off, in milliseconds. */
  readonly clockTolerance: number
  /** What the STS and authorization see: what was made until this time, epoch milliseconds. */
  readonly seenUntil: (now: number) => number
}

export interface Options {
  readonly cloud: Cloud
  /** The sandbox's https base URL: the issuer of ID tokens is under it. */
  readonly base: string
  readonly clock: ServiceClock
}

/** Google's signing key ids look like hashes, and tell nothing. */
export const makeKeys = (): KeyRing.KeyRing =>
  KeyRing.make("RS256", (generation) => `google-${generation}`)

/** The issuer of ID tokens. */
export const issuerOf = (base: string): string => `${base}/google`

export const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

/** The names in a route's path. */
interface Values {
  readonly pool: string
  readonly provider: string
  readonly account: string
}

interface Route {
  readonly endpoint: Endpoint
  readonly method: string
  /** With `:` and a custom method's name at its end, where it is one. */
  readonly path: string
  readonly answer: (call: Call, values: Values) => Effect.Effect<object, ApiError>
}

const under =
  (endpoint: Endpoint, base: string) =>
  (method: string, path: string, answer: Route["answer"]): Route => ({
    endpoint,
    method,
    path: `${base}${path}`,
    answer
  })

const onProject = under("google.projects", "/v1/projects/{project}")
const onAccounts = under("google.serviceAccounts", "/v1/projects/{project}/serviceAccounts")
const location = "/v1/projects/{project}/locations/global/workloadIdentityPools"
const onPools = under("google.workloadIdentityPools", location)
const onProviders = under("google.providers", `${location}/{pool}/providers`)

const routes: ReadonlyArray<Route> = [
  onProject("GET", "", projects.get),
  onProject("POST", ":getIamPolicy", projects.getIamPolicy),
  onProject("POST", ":setIamPolicy", projects.setIamPolicy),
  onAccounts("GET", "", serviceAccounts.list),
  onAccounts("POST", "", serviceAccounts.create),
  onAccounts("GET", "/{account}", (call, { account }) => serviceAccounts.get(call, account)),
  onAccounts("DELETE", "/{account}", (call, { account }) => serviceAccounts.remove(call, account)),
  onAccounts("POST", "/{account}:getIamPolicy", (call, { account }) =>
    serviceAccounts.getIamPolicy(call, account)
  ),
  onAccounts("POST", "/{account}:setIamPolicy", (call, { account }) =>
    serviceAccounts.setIamPolicy(call, account)
  ),
  onPools("GET", "", pools.list),
  onPools("POST", "", pools.create),
  onPools("GET", "/{pool}", (call, { pool }) => pools.get(call, pool)),
  onPools("PATCH", "/{pool}", (call, { pool }) => pools.update(call, pool)),
  onPools("DELETE", "/{pool}", (call, { pool }) => pools.remove(call, pool)),
  onPools("POST", "/{pool}:undelete", (call, { pool }) => pools.undelete(call, pool)),
  onPools("GET", "/{pool}/operations/{operation}", (call) => finished(call, operationIn(call))),
  onProviders("GET", "", (call, { pool }) => providers.list(call, pool)),
  onProviders("POST", "", (call, { pool }) => providers.create(call, pool)),
  onProviders("GET", "/{provider}", (call, { pool, provider }) =>
    providers.get(call, pool, provider)
  ),
  onProviders("PATCH", "/{provider}", (call, { pool, provider }) =>
    providers.update(call, pool, provider)
  ),
  onProviders("DELETE", "/{provider}", (call, { pool, provider }) =>
    providers.remove(call, pool, provider)
  ),
  onProviders("POST", "/{provider}:undelete", (call, { pool, provider }) =>
    providers.undelete(call, pool, provider)
  ),
  onProviders("GET", "/{provider}/operations/{operation}", (call) =>
    finished(call, operationIn(call))
  )
]

/** The name of an operation that is asked for, as it was told. */
const operationIn = ({ request }: Call): string => request.path.slice("/v1/".length)

const tokenPath = "/v1/token"

export const make = ({ base, clock, cloud }: Options): Service => {
  const issuer = issuerOf(base)
  const { project, seenUntil, tokens } = cloud

  const perform = (
    answer: (now: number) => Effect.Effect<Response, ApiError | TokenServiceError>
  ): Effect.Effect<Response> =>
    clock.now("google").pipe(
      Effect.flatMap(answer),
      Effect.catch((error) => Effect.succeed(toResponse(error)))
    )

  /** Who calls, and with what. */
  const authenticate = Effect.fnUntraced(function* (request: Request, now: number) {
    const { principal, scopes } = yield* tokens.bearer(request, now)
    if (!scopes.includes(cloudPlatform)) {
      return yield* new ApiError({
        status: "PERMISSION_DENIED",
        message: "Request had insufficient authentication scopes.",
        reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
      })
    }
    return { caller: principal, body: yield* bodyOf(request) }
  })

  const manage = (request: Request, { answer }: Route, values: Readonly<Record<string, string>>) =>
    perform(
      Effect.fnUntraced(function* (now) {
        const { body, caller } = yield* authenticate(request, now)
        const { account = "", pool = "", project: named = "", provider = "" } = values
        if (![project.id, project.number, "-"].includes(named)) {
          return yield* denied("resourcemanager.projects.get")
        }
        const call = { project, caller, request, body, now, seenUntil: seenUntil(now) }
        return json(200, yield* answer(call, { account, pool, provider }))
      })
    )

  const impersonate = (request: Request, account: string, operation: typeof generateAccessToken) =>
    perform(
      Effect.fnUntraced(function* (now) {
        const { body, caller } = yield* authenticate(request, now)
        return yield* operation({ ...cloud, issuer }, { caller, account, body, now })
      })
    )

  const published = (endpoint: Endpoint, body: Effect.Effect<unknown>) => ({
    endpoint,
    answer: Effect.map(body, document)
  })

  return {
    name: "google",
    route: (request) => {
      const { method, path } = request
      if (method === "GET" && path === "/google/.well-known/openid-configuration") {
        return published("google.discovery", Effect.succeed(discovery(issuer)))
      }
      if (method === "GET" && path === "/google/keys") {
        return published("google.keys", keySet(cloud.keys))
      }
      if (method === "POST" && path === tokenPath) {
        return {
          endpoint: "google.token",
          answer: perform((now) => exchange(cloud, request, now))
        }
      }
      const [, bare = path, verb = ""] = /^(.*)(:[a-zA-Z]+)$/.exec(path) ?? []
      const named = matchPath("/v1/projects/-/serviceAccounts/{account}", bare)?.["account"]
      if (method === "POST" && named !== undefined && verb === ":generateAccessToken") {
        return {
          endpoint: "google.generateAccessToken",
          answer: impersonate(request, named, generateAccessToken)
        }
      }
      if (method === "POST" && named !== undefined && verb === ":generateIdToken") {
        return {
          endpoint: "google.generateIdToken",
          answer: impersonate(request, named, generateIdToken)
        }
      }
      for (const route of routes) {
        const [pattern = "", custom = ""] = route.path.split(/(?=:)/)
        if (route.method !== method || custom !== verb) continue
        const values = matchPath(pattern, bare)
        if (values !== undefined) {
          return { endpoint: route.endpoint, answer: manage(request, route, values) }
        }
      }
      return undefined
    },
    failure: (_request, failure) =>
      Effect.succeed(
        failure === "throttled" || failure === 429
          ? envelope(429, {
              status: "RESOURCE_EXHAUSTED",
              message: "Quota exceeded for quota metric 'Token exchange requests'.",
              reason: "RATE_LIMIT_EXCEEDED"
            })
          : envelope(failure, {
              status: failure === 503 ? "UNAVAILABLE" : "INTERNAL",
              message: "The service is currently unavailable."
            })
      )
  }
}

const bodyOf = (request: Request): Effect.Effect<Call["body"], ApiError> => {
  const text = request.body.toString("utf8")
  const parsed = Result.try((): unknown => JSON.parse(text === "" ? "{}" : text))
  return Result.isSuccess(parsed) && Predicate.isObject(parsed.success)
    ? Effect.succeed({ ...parsed.success })
    : invalid("Invalid JSON payload received.")
}

const discovery = (issuer: string) => ({
  issuer,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"]
})

const keySet = (keys: KeyRing.KeyRing) =>
  Effect.map(Effect.forEach(keys.published(), KeyRing.toJwk), (published) => ({
    keys: published.map((key) => ({ ...key, alg: "RS256" }))
  }))
