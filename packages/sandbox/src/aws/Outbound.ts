/**
 * The account's own issuer (IAM outbound identity federation): its documents, and its tokens about the account's
 * principals.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as KeyRing from "../KeyRing.ts"
import { document } from "../kernel/Http.ts"
import type { Request } from "../kernel/Http.ts"
import type { Call } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { AccessKey, Account, Outbound } from "./Account.ts"

export type Algorithm = keyof Outbound["keys"]

/** Switches it on: the issuer is the same each time. */
export const enable = (account: Account, base: string): Outbound => {
  account.outbound ??= {
    issuer: `${base}/outbound/${randomUUID()}`,
    enabled: true,
    keys: {
      RS256: KeyRing.make("RS256", (generation) => `RSA_${generation}`),
      ES384: KeyRing.make("ES384", (generation) => `EC384_${generation}`)
    }
  }
  account.outbound.enabled = true
  return account.outbound
}

export interface TokenOptions {
  readonly caller: AccessKey
  readonly audiences: ReadonlyArray<string>
  /** Seconds. */
  readonly duration: number
  readonly tags: Readonly<Record<string, string>>
  /** Epoch milliseconds, on AWS's clock. */
  readonly now: number
}

/** What a token says. */
export const claimsOf = (account: Account, issuer: string, options: TokenOptions) => {
  const { audiences, caller, duration, now, tags } = options
  const issuedAt = seconds(now)
  return {
    iss: issuer,
    aud: audiences.length === 1 ? audiences[0] : audiences,
    // The role, not its session.
    sub: caller.role.arn,
    iat: issuedAt,
    exp: issuedAt + duration,
    jti: randomUUID(),
    "https://sts.amazonaws.com/": {
      aws_account: account.id,
      source_region: account.region,
      principal_id: caller.role.arn,
      ...(caller.expiresAt !== undefined && {
        original_session_exp: new Date(caller.expiresAt).toISOString()
      }),
      ...(caller.tags && { principal_tags: caller.tags }),
      ...(Object.keys(tags).length > 0 && { request_tags: tags }),
      ...(caller.sourceIdentity !== undefined && { source_identity: caller.sourceIdentity })
    }
  }
}

export const sign = (
  { keys }: Outbound,
  algorithm: Algorithm,
  claims: ReturnType<typeof claimsOf>
): Effect.Effect<string> => KeyRing.sign(keys[algorithm].current(), claims, { typ: "JWT" })

/** Discovery and the key set; they stay when it is switched off, for the tokens that are out. */
export const route = ({ outbound }: Account, { method, path }: Request): Call | undefined => {
  if (outbound === undefined || method !== "GET") return undefined
  const own = new URL(outbound.issuer).pathname
  if (path === `${own}/.well-known/openid-configuration`) {
    return {
      endpoint: "sts.discovery",
      answer: Effect.succeed(
        document({
          issuer: outbound.issuer,
          jwks_uri: `${outbound.issuer}/.well-known/jwks.json`,
          response_types_supported: ["id_token"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: Object.keys(outbound.keys)
        })
      )
    }
  }
  if (path !== `${own}/.well-known/jwks.json`) return undefined
  const published = Object.values(outbound.keys).flatMap((ring) => ring.published())
  return {
    endpoint: "sts.keys",
    answer: Effect.map(
      Effect.forEach(published, (key) =>
        Effect.map(KeyRing.toJwk(key), (jwk) => ({ ...jwk, alg: key.algorithm }))
      ),
      (keys) => document({ keys })
    )
  }
}
