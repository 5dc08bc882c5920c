/** Microsoft Graph v1.0, as far as it reads and writes what trusts are made of. */
import * as Effect from "effect/Effect"
import type { Tenant } from "../entra/TokenEndpoint.ts"
import type { Endpoint } from "../kernel/Endpoint.ts"
import { json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as Applications from "./Applications.ts"
import * as AppRoleAssignments from "./AppRoleAssignments.ts"
import * as Bearer from "./Bearer.ts"
import * as Collection from "./Collection.ts"
import * as FederatedIdentityCredentials from "./FederatedIdentityCredentials.ts"
import { badRequest, denied, GraphError, toResponse } from "./GraphError.ts"
import * as Path from "./Path.ts"
import * as ServicePrincipals from "./ServicePrincipals.ts"

export interface Options {
  readonly tenant: Tenant
  /** Graph's base URL: `https://localhost:8443`. */
  readonly base: string
  readonly clock: ServiceClock
}

export const make = ({ base, clock, tenant }: Options): Service => {
  const { directory } = tenant
  const applications = Applications.make(directory)
  const servicePrincipals = ServicePrincipals.make(directory)

  /** The collection that a path ends in. */
  const open = Effect.fnUntraced(function* ([first, second, ...more]: ReadonlyArray<Path.Segment>) {
    const roots = new Map([
      ["applications", applications],
      ["servicePrincipals", servicePrincipals]
    ])
    const root = roots.get(first?.collection ?? "")
    if (root === undefined) return yield* noSuchSegment(first?.collection)
    if (second === undefined) return root
    if (more[0] !== undefined || first?.key === undefined) {
      return yield* noSuchSegment(more[0]?.collection ?? second.collection)
    }
    const owner = yield* Collection.find(root, first.key)
    const { collection } = second
    if (root === applications && collection === "federatedIdentityCredentials") {
      return FederatedIdentityCredentials.make(directory, owner)
    }
    if (
      root === servicePrincipals &&
      (collection === "appRoleAssignments" || collection === "appRoleAssignedTo")
    ) {
      return AppRoleAssignments.make(directory, owner, collection)
    }
    return yield* noSuchSegment(collection)
  })

  /** https://learn.microsoft.com/graph/api/user-get */
  const me = Effect.fnUntraced(function* (
    { delegated }: Bearer.Bearer,
    { method }: Request,
    [segment, ...more]: ReadonlyArray<Path.Segment>
  ) {
    if (method !== "GET" || segment?.key !== undefined || more.length > 0)
      return yield* noSuchSegment("me")
    if (delegated === undefined)
      return yield* badRequest("/me request is only valid with delegated authentication flow.")
    const user = directory.users.get(String(delegated.userId))
    if (!delegated.scopes.includes("User.Read") || user === undefined) return yield* denied
    return json(200, { "@odata.context": `${base}/v1.0/$metadata#users/$entity`, ...user })
  })

  const perform = Effect.fnUntraced(function* (
    request: Request,
    segments: ReadonlyArray<Path.Segment>,
    now: number
  ) {
    const bearer = yield* Bearer.bearerOf(request, tenant, now)
    if (segments[0]?.collection === "me") return yield* me(bearer, request, segments)
    const collection = yield* open(segments)
    const wanted = collection.permissions[request.method === "GET" ? "read" : "write"]
    if (!wanted.some((permission) => bearer.roles.includes(permission))) return yield* denied
    const key = segments.at(-1)?.key
    return yield* Collection.answer({
      collection,
      ...(key && { key }),
      request,
      base: `${base}/v1.0`,
      now
    })
  })

  const fail = Effect.fnUntraced(function* (request: Request, error: GraphError) {
    return toResponse(error, request, yield* clock.now("graph"))
  })

  return {
    name: "graph",
    route: (request) => {
      const segments = Path.parse(request.path)
      if (segments === undefined) return undefined
      const endpoint = endpoints.get(segments.at(-1)?.collection ?? "")
      return {
        ...(endpoint && { endpoint }),
        answer: clock.now("graph").pipe(
          Effect.flatMap((now) => perform(request, segments, now)),
          Effect.catch((error) => fail(request, error))
        )
      }
    },
    failure: (request, failure) =>
      fail(
        request,
        failure === "throttled" || failure === 429
          ? new GraphError({
              status: 429,
              code: "TooManyRequests",
              message: "Too many requests. Please retry after the time that Retry-After says."
            })
          : new GraphError({
              status: failure,
              code: failure === 503 ? "serviceNotAvailable" : "InternalServerError",
              message: "The service cannot answer now."
            })
      )
  }
}

const endpoints: ReadonlyMap<string, Endpoint> = new Map([
  ["applications", "graph.applications"],
  ["servicePrincipals", "graph.servicePrincipals"],
  ["federatedIdentityCredentials", "graph.federatedIdentityCredentials"],
  ["appRoleAssignments", "graph.appRoleAssignments"],
  ["appRoleAssignedTo", "graph.appRoleAssignedTo"],
  ["me", "graph.me"]
])

const noSuchSegment = (segment: string | undefined) =>
  new GraphError({
    status: 400,
    code: "BadRequest",
    message: `Resource not found for the segment '${segment ?? ""}'.`
  })
