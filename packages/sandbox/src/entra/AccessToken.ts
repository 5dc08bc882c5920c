/** The access tokens that Entra issues to applications: for themselves, or on behalf of users. */
import { createHash, randomBytes } from "node:crypto"
import type * as Effect from "effect/Effect"
import * as KeyRing from "../KeyRing.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { User } from "./Directory.ts"

/** Entra's signing key ids look like certificate thumbprints, and tell nothing. */
export const makeKeys = (): KeyRing.KeyRing =>
  KeyRing.make("RS256", () => randomBytes(20).toString("base64url"))

export interface Options {
  readonly issuer: string
  readonly tenantId: string
  /** As it was asked for: a URI or the resource's client id. */
  readonly audience: string
  readonly client: Client
  /** The application's permissions. */
  readonly roles?: ReadonlyArray<string>
  /** On whose behalf, and for which permissions. Default: the application's own token. */
  readonly delegated?: { readonly user: User; readonly scopes: ReadonlyArray<string> }
  /** Valid from then on, seconds since the epoch: where a claims challenge demands it. */
  readonly notBefore?: number
  /** What the client can do: `cp1`. */
  readonly capabilities?: ReadonlyArray<string>
  /** Seconds. */
  readonly lifetime: number
  /** Epoch milliseconds, on Entra's clock. */
  readonly now: number
}

/** Who a token is issued to. */
interface Client {
  readonly id: string
  readonly appId: string
  readonly displayName: string
  /** How it proved itself. Default: by a federated credential. */
  readonly proof?: "none" | "platform"
  /** A managed identity's. */
  readonly resourceId?: string
}

/** Tokens are valid from five minutes ago, for verifiers whose clocks are slow. In seconds. */
export const backdating = 300

/** https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
export const mint = (keys: KeyRing.KeyRing, options: Options): Effect.Effect<string> => {
  const { client, issuer, roles = [] } = options
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
      // 2: the client proved itself by an assertion; 0: it is public.
      appidacr: client.proof === "none" ? "0" : "2",
      idp: issuer,
      ...(options.delegated === undefined
        ? {
            idtyp: "app",
            oid: client.id,
            ...(roles.length > 0 && { roles }),
            sub: client.id
          }
        : delegation(options.delegated, options.audience)),
      tid: options.tenantId,
      uti: randomBytes(16).toString("base64url"),
      ver: "1.0",
      ...(options.capabilities && { xms_cc: options.capabilities }),
      // Opaque: only its presence says that a federated credential was used.
      ...(client.proof === undefined && { xms_ficinfo: "CAAQABgAIAAoAjAA" }),
      ...(client.resourceId !== undefined && { xms_mirid: client.resourceId })
    },
    { typ: "JWT", x5t: key.kid }
  )
}

/** A user's subject is another for each audience. */
const delegation = ({ scopes, user }: NonNullable<Options["delegated"]>, audience: string) => ({
  idtyp: "user",
  name: user.displayName,
  oid: user.id,
  ...(scopes.length > 0 && { scp: scopes.join(" ") }),
  sub: createHash("sha256").update(`${user.id} ${audience}`).digest("base64url"),
  upn: user.userPrincipalName
})
