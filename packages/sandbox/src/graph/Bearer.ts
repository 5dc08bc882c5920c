/** Whom a bearer token lets in: verified as Graph does, by Entra's keys. */
import { localKeys, verify } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { graphAppId } from "../entra/Directory.ts"
import type { Tenant } from "../entra/TokenEndpoint.ts"
import * as KeyRing from "../KeyRing.ts"
import type { Request } from "../kernel/Http.ts"
import { revoked, unauthenticated } from "./GraphError.ts"

/** What a token for Graph may call it. */
const audiences: ReadonlySet<unknown> = new Set([
  "https://graph.microsoft.com",
  "https://graph.microsoft.com/",
  graphAppId
])

/** What the request's token lets its bearer do. */
export interface Bearer {
  /** The application's own permissions. */
  readonly roles: ReadonlyArray<unknown>
  /** The permissions that a user has delegated, and who that is. */
  readonly delegated?: { readonly userId: unknown; readonly scopes: ReadonlyArray<string> }
}

export const bearerOf = Effect.fnUntraced(function* (
  request: Request,
  tenant: Tenant,
  now: number
) {
  const token = /^bearer (.+)$/i.exec(request.headers["authorization"] ?? "")?.[1]
  if (token === undefined) return yield* unauthenticated("Access token is empty.")
  const keys = yield* Effect.forEach(tenant.keys.published(), KeyRing.toJwk)
  const { claims } = yield* verify(Redacted.make(token), {
    keys: localKeys({ keys }),
    algorithms: ["RS256"],
    issuer: tenant.issuer,
    now
  }).pipe(
    Effect.mapError((error) =>
      unauthenticated(
        error._tag === "FederationError"
          ? "Access token validation failure."
          : complaints[error.check]
      )
    )
  )
  if (!audiences.has(claims["aud"])) {
    return yield* unauthenticated("Access token validation failure. Invalid audience.")
  }
  if (claims["tid"] !== tenant.directory.tenantId) {
    return yield* unauthenticated("Access token validation failure. Invalid tenant.")
  }
  const capabilities: unknown = claims["xms_cc"]
  // Whoever could not answer keeps its token until its end.
  if (Array.isArray(capabilities) && capabilities.includes("cp1")) {
    if (Number(claims["iat"]) < tenant.revokedAt) return yield* revoked(tenant.revokedAt)
  }
  const { oid, roles, scp } = claims
  const bearer: Bearer = {
    roles: Array.isArray(roles) ? roles : [],
    ...(typeof scp === "string" && { delegated: { userId: oid, scopes: scp.split(" ") } })
  }
  return bearer
})

const complaints = {
  form: "IDX14100: JWT is not well formed.",
  algorithm: "Access token validation failure. Invalid signature algorithm.",
  key: "Access token validation failure. Signing key is invalid.",
  signature: "Access token validation failure. Signature verification failed.",
  issuer: "Access token validation failure. Invalid issuer.",
  audience: "Access token validation failure. Invalid audience.",
  subject: "Access token validation failure.",
  time: "Lifetime validation failed, the token is expired."
} as const
