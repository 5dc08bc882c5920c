/** A plain authorization server: token exchange (RFC 8693) and the JWT bearer grant (RFC 7523), and nothing of its own. */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as KeyRing from "../KeyRing.ts"
import { document, json } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import type { Options } from "../Options.ts"
import { authenticate } from "./Clients.ts"
import { refuse, toResponse, uncached } from "./OAuthError.ts"
import type { OAuthError } from "./OAuthError.ts"
import { readForm, required } from "./Parameters.ts"
import type { Believed, TrustStore } from "./Trust.ts"

export interface Surroundings {
  /** The sandbox's https base URL: the issuer is under it. */
  readonly base: string
  readonly clock: ServiceClock
  readonly trust: TrustStore
  readonly keys: KeyRing.KeyRing
}

export const makeKeys = (): KeyRing.KeyRing =>
  KeyRing.make("RS256", (generation) => `oauth-${generation}`)

const path = "/oauth"

export const issuerOf = (base: string): string => `${base}${path}`

const grants = {
  exchange: "urn:ietf:params:oauth:grant-type:token-exchange",
  bearer: "urn:ietf:params:oauth:grant-type:jwt-bearer"
}

const types = "urn:ietf:params:oauth:token-type:"
const taken = new Set([`${types}jwt`, `${types}id_token`])
const issuedTypes = new Set([`${types}access_token`, `${types}jwt`])

/** In seconds. */
const longestToken = 3600

export const make = (
  { base, clock, keys, trust }: Surroundings,
  {
    clients = [],
    scopes = ["read", "write"],
    singleUse = false,
    targets = ["https://api.example"]
  }: NonNullable<Options["oauth"]> = {}
): Service => {
  const issuer = issuerOf(base)
  const tokenEndpoint = `${issuer}/token`
  const seen = new Set<string>()

  const believe = (token: string, now: number, error: OAuthError["error"]) =>
    Effect.mapError(
      trust.believe(token, { audiences: [issuer, tokenEndpoint], now, once: singleUse }),
      ({ detail }) => refuse(error, detail)
    )

  const answer = Effect.fnUntraced(function* (request: Request, now: number) {
    const parameters = yield* readForm(request, ["audience", "resource"])
    const grant = yield* required(parameters, "grant_type")
    const client = yield* authenticate(request, parameters, { clients, issuer, now, seen })
    if (grant !== grants.exchange && grant !== grants.bearer)
      return yield* refuse("unsupported_grant_type", `There is no ${grant}`)
    if (client?.grants !== undefined && !client.grants.includes(grant))
      return yield* refuse("unauthorized_client", "Another grant was agreed on with this client")
    const { actor, requested, subject } =
      grant === grants.exchange
        ? yield* exchange(parameters, now)
        : {
            subject: yield* believe(yield* required(parameters, "assertion"), now, "invalid_grant"),
            actor: undefined,
            requested: undefined
          }
    const audience = [...parameters.getAll("audience"), ...parameters.getAll("resource")]
    const unknown = audience.find((each) => !targets.includes(each))
    if (unknown !== undefined)
      return yield* refuse("invalid_target", `There is no target ${unknown}`)
    const scope = parameters.get("scope") ?? scopes.join(" ")
    if (!scope.split(" ").every((each) => scopes.includes(each)))
      return yield* refuse("invalid_scope", "That scope was not granted")

    const issuedAt = seconds(now)
    // What is made of an assertion does not outlive it.
    const lifetime = Math.min(longestToken, subject.expiresAt - issuedAt)
    const token = yield* KeyRing.sign(
      keys.current(),
      {
        iss: issuer,
        sub: subject.subject,
        aud: audience.length === 0 ? issuer : audience,
        client_id: client?.id ?? subject.subject,
        iat: issuedAt,
        exp: issuedAt + lifetime,
        jti: randomUUID(),
        scope,
        ...(actor !== undefined && { act: { iss: actor.issuer, sub: actor.subject } })
      },
      { typ: "at+jwt" }
    )
    return json(
      200,
      {
        access_token: token,
        ...(requested !== undefined && { issued_token_type: requested }),
        token_type: requested === `${types}jwt` ? "N_A" : "Bearer",
        expires_in: lifetime,
        scope
      },
      uncached
    )
  })

  const exchange = Effect.fnUntraced(function* (
    parameters: URLSearchParams,
    now: number
  ): Effect.fn.Return<
    {
      readonly subject: Believed
      readonly actor: Believed | undefined
      readonly requested: string
    },
    OAuthError
  > {
    const subjectToken = yield* required(parameters, "subject_token")
    const subjectType = yield* required(parameters, "subject_token_type")
    const requested = parameters.get("requested_token_type") ?? `${types}access_token`
    const actorToken = parameters.get("actor_token")
    const actorType = parameters.get("actor_token_type")
    if ((actorToken === null) !== (actorType === null))
      return yield* refuse("invalid_request", "actor_token and actor_token_type: both or neither")
    for (const type of actorType === null ? [subjectType] : [subjectType, actorType]) {
      if (!taken.has(type)) return yield* refuse("invalid_request", `${type} is not taken`)
    }
    if (!issuedTypes.has(requested))
      return yield* refuse("invalid_request", `${requested} is not issued`)
    // RFC 8693 §2.2.2: whatever is wrong with a token of the request.
    const subject = yield* believe(subjectToken, now, "invalid_request")
    const actor =
      actorToken === null ? undefined : yield* believe(actorToken, now, "invalid_request")
    return { subject, actor, requested }
  })

  return {
    name: "oauth",
    route: (request) => {
      const { method, path: asked } = request
      if (method === "GET" && asked === `${path}/.well-known/openid-configuration`) {
        return {
          endpoint: "oauth.discovery",
          answer: Effect.succeed(
            document({
              issuer,
              jwks_uri: `${issuer}/keys`,
              token_endpoint: tokenEndpoint,
              grant_types_supported: Object.values(grants),
              token_endpoint_auth_methods_supported: [
                "none",
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt"
              ],
              response_types_supported: [],
              subject_types_supported: ["public"],
              id_token_signing_alg_values_supported: ["RS256"],
              scopes_supported: scopes
            })
          )
        }
      }
      if (method === "GET" && asked === `${path}/keys`) {
        return {
          endpoint: "oauth.keys",
          answer: Effect.map(Effect.forEach(keys.published(), KeyRing.toJwk), (published) =>
            document({ keys: published.map((key) => ({ ...key, alg: "RS256" })) })
          )
        }
      }
      if (method !== "POST" || asked !== `${path}/token`) return undefined
      return {
        endpoint: "oauth.token",
        answer: clock.now("oauth").pipe(
          Effect.flatMap((now) => answer(request, now)),
          Effect.catch((error) => Effect.succeed(toResponse(error)))
        )
      }
    },
    failure: (_request, failure) =>
      Effect.succeed(
        json(failure === "throttled" ? 429 : failure, { error: "temporarily_unavailable" })
      )
  }
}
