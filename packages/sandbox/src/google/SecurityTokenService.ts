/**
 * Google's Security Token Service: a foreign assertion for a federated token (RFC 8693).
 *
 * https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
import { Assertion } from "@federate/core"
import type { VerificationError } from "@federate/oidc"
import { localKeys, verify } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"
import { form, json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import { refuse } from "./GoogleError.ts"
import type { Principal } from "./Principal.ts"
import { poolName } from "./Project.ts"
import type { Project, Provider } from "./Project.ts"
import type { Tokens } from "./Tokens.ts"

export interface TokenService {
  readonly project: Project
  readonly tokens: Tokens
  readonly issuerKeys: IssuerKeys
  /** How far clocks may disagree, in milliseconds. */
  readonly clockTolerance: number
  /** What is not seen yet: made after this time. */
  readonly seenUntil: (now: number) => number
}

const types = "urn:ietf:params:oauth:token-type:"

const taken = {
  grant: "urn:ietf:params:oauth:grant-type:token-exchange",
  subjects: [`${types}jwt`, `${types}id_token`],
  algorithms: ["RS256", "ES256"]
}

/** In seconds. */
const tokenLifetime = 3599

/**
 * `exp - iat` may be a day, in seconds. Managed identities' tokens begin five minutes before they are issued, and Google
 * documents them as assertions.
 */
const longestAssertion = 24 * 3600 + 300

const audience =
  /^\/\/iam\.googleapis\.com\/(projects\/(\d+)\/locations\/global\/workloadIdentityPools\/([a-z0-9-]{4,32}))\/providers\/([a-z0-9-]{4,32})$/

/** The answer to a request for a federated token. */
export const exchange = Effect.fnUntraced(function* (
  service: TokenService,
  request: Request,
  now: number
) {
  const parameter = yield* parametersOf(request)
  const grant = yield* required(parameter, "grant_type")
  if (grant !== taken.grant) {
    return yield* refuse("unsupported_grant_type", `Invalid value for "grant_type": ${grant}.`)
  }
  const named = yield* required(parameter, "audience")
  const scopes = (yield* required(parameter, "scope")).split(" ").filter((scope) => scope !== "")
  const requested = yield* required(parameter, "requested_token_type")
  if (requested !== `${types}access_token`) {
    return yield* refuse("invalid_request", 'Invalid value for "requested_token_type".')
  }
  const { pool, provider } = yield* find(service, named, now)
  const type = yield* required(parameter, "subject_token_type")
  if (!taken.subjects.includes(type)) {
    return yield* refuse("invalid_request", 'Invalid value for "subject_token_type".')
  }
  const token = Redacted.make(yield* required(parameter, "subject_token"))
  const { claims, exp } = yield* believe(service, token, { provider, named, now })
  const principal: Principal = {
    _tag: "Federated",
    pool,
    ...(yield* Effect.fromResult(provider.attributes.of(claims)))
  }
  // What is made of an assertion does not outlive it.
  const lifetime = Math.min(tokenLifetime, exp - Math.floor(now / 1000))
  return json(200, {
    access_token: service.tokens.issue({ principal, scopes, expiresAt: now + lifetime * 1000 }),
    issued_token_type: `${types}access_token`,
    token_type: "Bearer",
    expires_in: lifetime
  })
})

/** A form's parameters, or a JSON body's in their own spelling, by the form's names. */
const parametersOf = Effect.fnUntraced(function* (request: Request) {
  if (!request.headers["content-type"]?.startsWith("application/json")) {
    const parameters = form(request)
    return (name: string): unknown => parameters.get(name)
  }
  const body = Result.try((): unknown => JSON.parse(request.body.toString("utf8")))
  if (Result.isFailure(body) || !Predicate.isObject(body.success)) {
    return yield* refuse("invalid_request", "Invalid JSON payload received.")
  }
  const values = new Map<string, unknown>(Object.entries(body.success))
  return (name: string): unknown =>
    values.get(name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()))
})

const required = Effect.fnUntraced(function* (parameter: (name: string) => unknown, name: string) {
  const value = parameter(name)
  return typeof value === "string" && value !== ""
    ? value
    : yield* refuse("invalid_request", `Missing required parameter: ${name}.`)
})

/** The provider and its pool, when both have spread so far and neither is switched off. */
const find = Effect.fnUntraced(function* (
  { project, seenUntil }: TokenService,
  named: string,
  now: number
) {
  const [, pool, number, poolId = "", providerId = ""] = audience.exec(named) ?? []
  if (pool === undefined) {
    return yield* refuse(
      "invalid_request",
      'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.'
    )
  }
  const held = number === project.number ? project.pools.get(poolId) : undefined
  const provider = held?.providers.get(providerId)
  const isUsable = (one: Pick<Provider, "createdAt" | "deletedAt" | "disabled">) =>
    !one.disabled && one.deletedAt === undefined && one.createdAt <= seenUntil(now)
  if (held === undefined || provider === undefined || ![held, provider].every(isUsable)) {
    return yield* refuse(
      "invalid_target",
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.'
    )
  }
  return { pool: poolName(project, poolId), provider }
})

/** The claims of a token that the provider believes. What Google looks at first is inferred. */
const believe = Effect.fnUntraced(function* (
  { clockTolerance, issuerKeys }: TokenService,
  token: Redacted.Redacted,
  {
    named,
    now,
    provider
  }: { readonly named: string; readonly now: number; readonly provider: Provider }
) {
  const decoded = Assertion.fromJwt(token, { obtainedAt: now })
  if (Result.isFailure(decoded)) return yield* malformed
  const { audience: audiences, claims, issuer } = decoded.success
  const { exp, iat } = claims
  if (typeof exp !== "number" || typeof iat !== "number") return yield* malformed
  const { allowedAudiences = [], issuerUri, jwksJson } = provider.oidc
  if (issuer !== issuerUri) {
    return yield* refuse(
      "invalid_grant",
      `The issuer in ID Token ${issuer} does not match the expected one: ${issuerUri}.`
    )
  }
  const options = { algorithms: taken.algorithms, now, clockTolerance }
  const verified =
    jwksJson === undefined
      ? issuerKeys.verify(issuerUri, token, options)
      : // It was read when it was uploaded.
        verify(token, { ...options, keys: localKeys(JSON.parse(jwksJson)) })
  yield* Effect.mapError(verified, (error) =>
    error._tag === "FederationError"
      ? refuse("invalid_grant", "Error connecting to the given credential's issuer.")
      : complaint(error.check, iat)
  )
  if (exp - iat > longestAssertion) return yield* stale(iat)
  const accepted = allowedAudiences.length > 0 ? allowedAudiences : [`https:${named}`, named]
  if (!audiences.some((one) => accepted.includes(one))) {
    return yield* refuse(
      "invalid_grant",
      `The audience in ID Token [${audiences.join(", ")}] does not match the expected audience.`
    )
  }
  return { claims, exp }
})

const complaint = (check: VerificationError["check"], iat: number) => {
  if (check === "time") return stale(iat)
  return check === "form" ? malformed : refuse("invalid_grant", "Invalid JWT Signature.")
}

const stale = (iat: number) =>
  refuse("invalid_grant", `ID Token issued at ${iat} is stale to sign-in.`)

const malformed = refuse("invalid_grant", "The given credential is malformed.")
