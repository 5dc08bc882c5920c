/** Plain OpenID issuers, as many as are asked for: for GitHub, Kubernetes, or an issuer that should not be believed. */
import * as Effect from "effect/Effect"
import * as KeyRing from "../KeyRing.ts"
import { document, json, matchPath } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"

/** What a token shall say. */
export interface TokenOptions {
  readonly subject: string
  readonly audience: string | ReadonlyArray<string>
  /** In milliseconds; negative for a token that has ended. Default 5 minutes. */
  readonly lifetime?: number
  /** Default RS256. */
  readonly algorithm?: KeyRing.Algorithm
  /** More claims, or others in the place of `iss`, `sub`, `aud`, `iat`, `nbf` and `exp`; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** More header parameters, or another `kid`. */
  readonly header?: Readonly<Record<string, unknown>>
}

export interface Issuers {
  readonly service: Service
  /** The issuer's URL. It exists from the first time it is asked for. */
  readonly url: (name: string) => string
  readonly issue: (name: string, options: TokenOptions) => Effect.Effect<string>
  /** New keys sign from now on. Gives their ids. */
  readonly rotate: (name: string, publish?: KeyRing.Publish) => ReadonlyArray<string>
}

const defaultLifetime = 5 * 60_000

/** An issuer's keys, one ring for each algorithm that it has signed with. */
type Rings = Map<KeyRing.Algorithm, KeyRing.KeyRing>

/**
 * @param base the https base URL: issuers are `{base}/issuers/{name}`
 */
export const make = (base: string, clock: ServiceClock): Issuers => {
  const issuers = new Map<string, Rings>()

  const ring = (name: string, algorithm: KeyRing.Algorithm): KeyRing.KeyRing =>
    KeyRing.make(algorithm, (generation) => `${name}-${algorithm}-${generation}`)

  const ringsOf = (name: string): Rings => {
    const known = issuers.get(name)
    if (known !== undefined) return known
    const made: Rings = new Map([["RS256", ring(name, "RS256")]])
    issuers.set(name, made)
    return made
  }

  const ringOf = (name: string, algorithm: KeyRing.Algorithm): KeyRing.KeyRing => {
    const rings = ringsOf(name)
    const found = rings.get(algorithm) ?? ring(name, algorithm)
    rings.set(algorithm, found)
    return found
  }

  const url = (name: string): string => {
    ringsOf(name)
    return `${base}/issuers/${encodeURIComponent(name)}`
  }

  const keySet = (rings: Rings) =>
    Effect.map(
      Effect.forEach(
        [...rings.values()].flatMap(({ published }) => published()),
        (key) => Effect.map(KeyRing.toJwk(key), (jwk) => ({ ...jwk, alg: key.algorithm }))
      ),
      (keys) => ({ keys })
    )

  const withIssuer = (name: string, answer: (rings: Rings) => Effect.Effect<Response>) => {
    const rings = issuers.get(name)
    return rings === undefined
      ? Effect.succeed(json(404, { error: "not_found", error_description: `No issuer "${name}"` }))
      : answer(rings)
  }

  const route = ({ method, path }: Request) => {
    if (method !== "GET") return undefined
    const discovery = matchPath("/issuers/{name}/.well-known/openid-configuration", path)
    if (discovery !== undefined) {
      const { name = "" } = discovery
      return {
        endpoint: "issuer.discovery",
        answer: withIssuer(name, (rings) =>
          Effect.succeed(
            document({
              issuer: url(name),
              jwks_uri: `${url(name)}/keys`,
              response_types_supported: ["id_token"],
              subject_types_supported: ["public"],
              id_token_signing_alg_values_supported: [...rings.keys()]
            })
          )
        )
      } as const
    }
    const keys = matchPath("/issuers/{name}/keys", path)
    if (keys === undefined) return undefined
    return {
      endpoint: "issuer.keys",
      answer: withIssuer(keys["name"] ?? "", (rings) => Effect.map(keySet(rings), document))
    } as const
  }

  return {
    url,
    issue: Effect.fnUntraced(function* (name, options) {
      const now = yield* clock.now("issuer")
      const key = ringOf(name, options.algorithm ?? "RS256").current()
      const issuedAt = seconds(now)
      const claims = {
        iss: url(name),
        sub: options.subject,
        aud: options.audience,
        iat: issuedAt,
        nbf: issuedAt,
        exp: seconds(now + (options.lifetime ?? defaultLifetime)),
        ...options.claims
      }
      return yield* KeyRing.sign(key, claims, { typ: "JWT", ...options.header })
    }),
    rotate: (name, publish) => [...ringsOf(name).values()].map(({ rotate }) => rotate(publish)),
    service: {
      name: "issuer",
      route,
      failure: (_request, failure) =>
        Effect.succeed(
          json(failure === "throttled" ? 429 : failure, { error: "temporarily_unavailable" })
        )
    }
  }
}
