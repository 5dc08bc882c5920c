/**
 * A Kubernetes cluster's API server, as far as it makes service accounts' tokens.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { decodeJwt } from "jose"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"
import type { Issuers } from "../issuer/Issuers.ts"
import { json, matchPath } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"

export interface ServiceAccount {
  readonly namespace: string
  readonly name: string
}

interface Known {
  readonly account: ServiceAccount
  readonly uid: string
}

export interface Options {
  readonly issuers: Issuers
  readonly issuerKeys: IssuerKeys
  readonly clock: ServiceClock
}

/** The plain issuer whose keys the cluster signs with. */
const issuerName = "kubernetes"

/** Whom a token is for that is the key to the API server itself. */
const ownAudience = "https://kubernetes.default.svc.cluster.local"

/** In seconds. */
const defaultExpiration = 3600
const leastExpiration = 600
const mostExpiration = 2 ** 32

const subjectOf = ({ name, namespace }: ServiceAccount): string =>
  `system:serviceaccount:${namespace}:${name}`

/** A refusal in the API's own form: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
class Status extends Data.TaggedError("Status")<{
  readonly code: number
  readonly reason: string
  readonly message: string
}> {}

const toResponse = ({ code, message, reason }: Status): Response =>
  json(code, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    code
  })

const invalid = (problem: string) =>
  new Status({
    code: 422,
    reason: "Invalid",
    message: `TokenRequest.authentication.k8s.io "" is invalid: ${problem}`
  })

export const make = ({ clock, issuerKeys, issuers }: Options) => {
  /** By subject. */
  const accounts = new Map<string, Known>()

  const issue = ({ account, uid }: Known, audience: ReadonlyArray<string>, expiration: number) =>
    issuers.issue(issuerName, {
      subject: subjectOf(account),
      audience,
      lifetime: expiration * 1000,
      claims: {
        jti: randomUUID(),
        "kubernetes.io": {
          namespace: account.namespace,
          serviceaccount: { name: account.name, uid }
        }
      }
    })

  /** Who asks, by a token of the cluster's own. */
  const authenticate = Effect.fnUntraced(function* ({ headers }: Request, now: number) {
    const unauthorized = new Status({ code: 401, reason: "Unauthorized", message: "Unauthorized" })
    const token = /^bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1]
    if (token === undefined) return yield* unauthorized
    const issuer = issuers.url(issuerName)
    const { claims } = yield* Effect.mapError(
      issuerKeys.verify(issuer, Redacted.make(token), {
        algorithms: ["RS256"],
        issuer,
        audience: ownAudience,
        now
      }),
      () => unauthorized
    )
    const subject = String(claims["sub"])
    return accounts.has(subject) ? subject : yield* unauthorized
  })

  const create = Effect.fnUntraced(function* (request: Request, account: ServiceAccount) {
    const now = yield* clock.now("kubernetes")
    const caller = yield* authenticate(request, now)
    const subject = subjectOf(account)
    const found = accounts.get(subject)
    // The one right that is granted: a role that names the account itself.
    if (found === undefined || caller !== subject) {
      return yield* new Status({
        code: 403,
        reason: "Forbidden",
        message: `serviceaccounts "${account.name}" is forbidden: User "${caller}" cannot create resource "serviceaccounts/token" in API group "" in the namespace "${account.namespace}"`
      })
    }
    const { audiences, expiration } = yield* specOf(request)
    const token = yield* issue(found, audiences, expiration)
    const { exp = 0 } = decodeJwt(token)
    return json(201, {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name: account.name, namespace: account.namespace },
      spec: { audiences, expirationSeconds: expiration, boundObjectRef: null },
      status: {
        token,
        // As the token says: a second may have gone by since the request came.
        expirationTimestamp: new Date(exp * 1000).toISOString().replace(".000Z", "Z")
      }
    })
  })

  const service: Service = {
    name: "kubernetes",
    route: (request) => {
      const { name, namespace } =
        matchPath("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", request.path) ?? {}
      return request.method !== "POST" || name === undefined || namespace === undefined
        ? undefined
        : {
            endpoint: "kubernetes.token",
            answer: create(request, { name, namespace }).pipe(
              Effect.catchTag("Status", (status) => Effect.succeed(toResponse(status)))
            )
          }
    },
    failure: (_request, failure) =>
      Effect.succeed(
        toResponse(
          failure === "throttled" || failure === 429
            ? new Status({
                code: 429,
                reason: "TooManyRequests",
                message:
                  "The server has received too many requests and has asked us to try again later"
              })
            : new Status({
                code: failure,
                reason: failure === 503 ? "ServiceUnavailable" : "InternalError",
                message: "The server cannot answer now"
              })
        )
      )
  }

  return {
    service,
    /** What the kubelet writes into a pod's volume; without an audience, its key to the API server. */
    projectedToken: (account: ServiceAccount, audience = ownAudience): Effect.Effect<string> => {
      const known = accounts.get(subjectOf(account)) ?? { account, uid: randomUUID() }
      accounts.set(subjectOf(account), known)
      return issue(known, [audience], defaultExpiration)
    }
  }
}

/** What is asked for, defaults put in. */
const specOf = Effect.fnUntraced(function* ({ body }: Request) {
  const parsed = Result.getOrUndefined(Result.try((): unknown => JSON.parse(body.toString("utf8"))))
  const { apiVersion, kind, spec = {} } = Predicate.isObject(parsed) ? { ...parsed } : {}
  if (
    apiVersion !== "authentication.k8s.io/v1" ||
    kind !== "TokenRequest" ||
    !Predicate.isObject(spec)
  ) {
    return yield* new Status({
      code: 400,
      reason: "BadRequest",
      message: "the object provided is unrecognized (must be of type TokenRequest)"
    })
  }
  const { audiences = [ownAudience], expirationSeconds = defaultExpiration } = { ...spec }
  if (!Array.isArray(audiences) || !audiences.every((each) => typeof each === "string"))
    return yield* invalid("spec.audiences: Invalid value")
  if (typeof expirationSeconds !== "number" || !Number.isInteger(expirationSeconds))
    return yield* invalid("spec.expirationSeconds: Invalid value")
  if (expirationSeconds < leastExpiration) {
    return yield* invalid(
      `spec.expirationSeconds: Invalid value: ${expirationSeconds}: may not specify a duration less than 10 minutes`
    )
  }
  if (expirationSeconds > mostExpiration) {
    return yield* invalid(
      `spec.expirationSeconds: Invalid value: ${expirationSeconds}: may not specify a duration larger than 2^32 seconds`
    )
  }
  // An empty list means the API server too.
  return {
    audiences: audiences.length === 0 ? [ownAudience] : audiences,
    expiration: expirationSeconds
  }
})
