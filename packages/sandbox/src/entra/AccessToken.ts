/** The access tokens that Entra issues to applications. */
import { randomBytes } from "node:crypto"
import type * as Effect from "effect/Effect"
import * as KeyRing from "../KeyRing.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServicePrincipal } from "./Directory.ts"

/** Entra's signing key ids look like certificate thumbprints, and tell nothing. */
export const makeKeys = (): KeyRing.KeyRing =>
  KeyRing.make("RS256", () => randomBytes(20).toString("base64url"))

export interface Options {
  readonly issuer: string
  readonly tenantId: string
  /** As it was asked for: a URI or the resource's client id. */
  readonly audience: string
  readonly client: Pick<ServicePrincipal, "id" | "appId" | "displayName">
  readonly roles: ReadonlyArray<string>
  /** Valid from then on, seconds since the epoch: where a claims challenge demands it. */
  readonly notBefore?: number
  /** What the client can do: `cp1`. */
  readonly capabilities?: ReadonlyArray<string>
  /** Seconds. */
  readonly lifetime: number
  /** Epoch milliseconds, on Entra's clock. */
  readonly now: number
}

/** Tokens are valid from five minutes ago, for verifiers whose clocks are slow. In seconds. */
export const backdating = 300

/** https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
export const mint = (keys: KeyRing.KeyRing, options: Options): Effect.Effect<string> => {
  const { client, issuer } = options
  const now = seconds(options.now)
  const from = Math.max(now - backdating, options.notBefore ?? 0)
  const key = keys.current()
  return KeyRing.sign(
    key,
    {
      aud: options.audience,
      iss: issuer,
      iat: from,
      nbf: from,
      exp: now + options.lifetime,
      app_displayname: client.displayName,
      appid: client.appId,
      // 2: the client proved itself by an assertion.
      appidacr: "2",
      idp: issuer,
      idtyp: "app",
      oid: client.id,
      ...(options.roles.length > 0 && { roles: options.roles }),
      sub: client.id,
      tid: options.tenantId,
      uti: randomBytes(16).toString("base64url"),
      ver: "1.0",
      ...(options.capabilities && { xms_cc: options.capabilities }),
      // Opaque: only its presence says that a federated credential was used.
      xms_ficinfo: "CAAQABgAIAAoAjAA"
    },
    { typ: "JWT", x5t: key.kid }
  )
}
