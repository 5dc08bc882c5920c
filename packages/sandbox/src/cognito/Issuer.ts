/** Cognito Identity as an OpenID issuer: what it says in its tokens, and the documents that let others verify them. */
import type { FederationError } from "@federate/core"
import { localKeys, verify as verifyJwt } from "@federate/oidc"
import type { VerificationError } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import { AwsError } from "../aws/AwsError.ts"
import * as KeyRing from "../KeyRing.ts"
import { document, matchPath } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Call } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { Identity, IdentityPool } from "./IdentityPools.ts"

export interface Issuer {
  /** `https://cognito-identity.amazonaws.com`, or the sandbox's own URL in its place. */
  readonly url: string
  readonly keys: KeyRing.KeyRing
  /** Emits `n` as Cognito once did: standard base64, with padding and a leading zero octet, against RFC 7518 §6.3.1.1. */
  readonly base64Defect: boolean
}

/** A key's id is its region, followed by a digit that moves on with each rotation: `us-east-11`. */
export const makeKeys = (region: string): KeyRing.KeyRing =>
  KeyRing.make("RS512", (generation) => `${region}${((generation - 1) % 9) + 1}`)

export interface TokenOptions {
  readonly pool: IdentityPool
  readonly poolArn: string
  readonly identity: Identity
  /** How it logged in: `authenticated` with its logins, or `unauthenticated`. */
  readonly amr: ReadonlyArray<string>
  /** Seconds. */
  readonly duration: number
  readonly principalTags?: Readonly<Record<string, string>>
  /** Epoch milliseconds, on Cognito's clock. */
  readonly now: number
}

/** A token about an identity, its claims in the order that Cognito has them. */
export const mint = (issuer: Issuer, options: TokenOptions): Effect.Effect<string> => {
  const { amr, identity, pool, principalTags } = options
  const issuedAt = seconds(options.now)
  return KeyRing.sign(
    issuer.keys.current(),
    {
      sub: identity.id,
      aud: pool.id,
      amr,
      iss: issuer.url,
      ...(principalTags !== undefined && {
        "https://aws.amazon.com/tags": {
          principal_tags: Object.fromEntries(
            Object.entries(principalTags).map(([name, value]) => [name, [value]])
          )
        }
      }),
      "https://cognito-identity.amazonaws.com/identity-pool-arn": options.poolArn,
      exp: issuedAt + options.duration,
      iat: issuedAt
    },
    { typ: "JWS" }
  )
}

/** Discovery and the key set; the latter's path really ends in `jwks_uri`. */
export const route = (issuer: Issuer, { method, path }: Request): Call | undefined => {
  if (method !== "GET") return undefined
  if (matchPath("/.well-known/openid-configuration", path)) {
    return {
      endpoint: "cognito.discovery",
      answer: Effect.succeed(
        document({
          issuer: issuer.url,
          jwks_uri: `${issuer.url}/.well-known/jwks_uri`,
          response_types_supported: ["id_token"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS512"]
        })
      )
    }
  }
  if (matchPath("/.well-known/jwks_uri", path)) {
    return { endpoint: "cognito.keys", answer: Effect.map(keySet(issuer), document) }
  }
  return undefined
}

const keySet = Effect.fnUntraced(function* ({ base64Defect, keys }: Issuer) {
  const published = yield* Effect.forEach(keys.published(), (key) =>
    Effect.map(KeyRing.toJwk(key), (jwk) => ({
      ...jwk,
      alg: key.algorithm,
      ...(base64Defect && { n: defective(jwk.n ?? "") })
    }))
  )
  return { keys: published }
})

const defective = (n: string): string =>
  Buffer.concat([Buffer.of(0), Buffer.from(n, "base64url")]).toString("base64")

/** Verifies a token of this issuer's own, for this identity of this pool; gives its `amr`. */
export const verify = Effect.fnUntraced(function* (
  { keys, url }: Issuer,
  token: Redacted.Redacted,
  options: {
    readonly pool: IdentityPool
    readonly identity: Identity
    /** Epoch milliseconds, on Cognito's clock. */
    readonly now: number
  }
) {
  const jwks = yield* Effect.forEach(keys.published(), KeyRing.toJwk)
  const { claims } = yield* verifyJwt(token, {
    keys: localKeys({ keys: jwks }),
    algorithms: ["RS512"],
    issuer: url,
    audience: options.pool.id,
    subject: options.identity.id,
    now: options.now
  }).pipe(
    Effect.mapError(
      (error) => new AwsError({ code: "NotAuthorizedException", message: complaint(error) })
    )
  )
  const { amr } = claims
  return (Array.isArray(amr) ? amr : []).filter(Predicate.isString)
})

const complaint = (error: VerificationError | FederationError): string => {
  if (error._tag === "FederationError") return "Invalid login token."
  switch (error.check) {
    case "form":
    case "algorithm":
      return "Invalid login token. Not a valid OpenId Connect identity token."
    case "key":
    case "signature":
      return "Invalid login token. Token signature invalid."
    case "issuer":
      return "Invalid login token. Issuer doesn't match providerName"
    case "time":
      return "Invalid login token. Token is expired."
    default:
      return "Logins don't match. Please include at least one valid login for this identity or identity pool."
  }
}
