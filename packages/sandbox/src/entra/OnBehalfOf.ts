/**
 * The user's token of an on-behalf-of request, and what its user and the application may ask together.
 *
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */
import { Assertion } from "@federate/core"
import { localKeys, verify } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as KeyRing from "../KeyRing.ts"
import { refuse } from "./Aadsts.ts"
import * as Directory from "./Directory.ts"
import type { Tenant } from "./TokenEndpoint.ts"

/** The user that a token is about: one of this Entra's, for this application, still valid. */
export const accept = Effect.fnUntraced(function* (
  token: string,
  tenant: Tenant,
  { appId, displayName, identifierUris }: Directory.Application,
  now: number
) {
  const decoded = Assertion.fromJwt(Redacted.make(token), { obtainedAt: now })
  if (Result.isFailure(decoded)) return yield* refuse("malformedAssertion")
  const { audience, claims } = decoded.success
  const keys = yield* Effect.forEach(tenant.keys.published(), KeyRing.toJwk)
  yield* verify(Redacted.make(token), {
    keys: localKeys({ keys }),
    algorithms: ["RS256"],
    issuer: tenant.issuer,
    now,
    clockTolerance: tenant.clockTolerance
  }).pipe(
    Effect.catch((error) =>
      error._tag === "VerificationError" && error.check === "time"
        ? refuse("userTokenEnded", {
            now: new Date(now).toISOString(),
            until: new Date(Number(claims["exp"]) * 1000).toISOString()
          })
        : refuse("foreignUserToken")
    )
  )
  if (!audience.some((each) => [appId, ...identifierUris].includes(each))) {
    return yield* refuse("userTokenForAnother", {
      audience: audience.join(", "),
      client: appId,
      name: displayName
    })
  }
  const { appid, idtyp, oid, scp } = claims
  if (idtyp === "app") return yield* refuse("appForApp", { client: String(appid) })
  const user = tenant.directory.users.get(String(oid))
  if (typeof scp !== "string" || user === undefined) return yield* refuse("idToken")
  return user
})

/** Of OpenID Connect, and no resource's. */
const ownScopes = new Set(["openid", "profile", "email", "offline_access"])

/** The one resource that is asked for, and which of its permissions; all that were consented to for `/.default`. */
export const read = Effect.fnUntraced(function* (scope: string) {
  const parts = scope.split(" ").filter((part) => part !== "" && !ownScopes.has(part))
  // Microsoft Graph's go without saying whose they are.
  const named = parts.map((part) => (part.includes("/") ? part : `${graph}/${part}`))
  const resources = new Set(named.map((part) => part.slice(0, part.lastIndexOf("/"))))
  if (resources.size > 1) return yield* refuse("twoResources", { scope })
  const [resource] = resources
  if (!resource) return yield* refuse("badScope", { scope })
  return { resource, wanted: named.map((part) => part.slice(resource.length + 1)) }
})

const graph = "https://graph.microsoft.com"

/** The permissions that the token is for: each must exist, and somebody must have consented. */
export const permissions = Effect.fnUntraced(function* (
  { consents }: Directory.Directory,
  application: Directory.Application,
  resource: Directory.ServicePrincipal,
  wanted: ReadonlyArray<string>
) {
  const offered = resource.oauth2PermissionScopes.map(({ value }) => value)
  const given = offered.filter((value) =>
    consents.has(Directory.consent(application.appId, resource.appId, value))
  )
  const all = wanted.includes(".default")
  const unknown = wanted.find((value) => value !== ".default" && !offered.includes(value))
  if (unknown !== undefined) {
    return yield* refuse("unknownPermission", {
      name: application.displayName,
      permission: unknown,
      resource: resource.displayName
    })
  }
  if (given.length === 0 || (!all && !wanted.every((value) => given.includes(value)))) {
    return yield* refuse("notConsented", {
      client: application.appId,
      name: application.displayName
    })
  }
  // Entra puts in whatever was consented to besides.
  return given
})
