/** Who asks a token endpoint: RFC 6749 §2.3, RFC 7523 §3. */
import { localKeys, verify } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Request } from "../kernel/Http.ts"
import type { OAuthClient } from "../Options.ts"
import { refuse } from "./OAuthError.ts"

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const failed = refuse("invalid_client", "Client authentication failed")

/**
 * The client that proves who it is, by exactly one method; nobody where none is registered and none is named. A signed
 * assertion is for the issuer alone (RFC 10070), and is taken once.
 */
export const authenticate = Effect.fnUntraced(function* (
  request: Request,
  parameters: URLSearchParams,
  {
    clients,
    issuer,
    now,
    seen
  }: {
    readonly clients: ReadonlyArray<OAuthClient>
    readonly issuer: string
    readonly now: number
    /** The `jti`s of clients' assertions. */
    readonly seen: Set<string>
  }
) {
  const { authorization } = request.headers
  const secret = parameters.get("client_secret")
  const assertion = parameters.get("client_assertion")
  const shown = [authorization, secret, assertion].filter(
    (each) => each !== undefined && each !== null
  )
  if (shown.length > 1)
    return yield* refuse("invalid_request", "More than one method of client authentication")
  const basic = authorization === undefined ? undefined : readBasic(authorization)
  if (authorization !== undefined && basic === undefined) return yield* failed
  const id = basic?.id ?? parameters.get("client_id") ?? undefined
  if (id === undefined && shown.length === 0) {
    return clients.length === 0 ? undefined : yield* refuse("invalid_client", "Name the client")
  }
  const client = clients.find((each) => each.id === id)
  if (client === undefined) return yield* failed
  if (client.jwks !== undefined) {
    if (assertion === null) return yield* failed
    if (parameters.get("client_assertion_type") !== assertionType)
      return yield* refuse("invalid_request", "Another client_assertion_type")
    const { claims } = yield* Effect.mapError(
      verify(Redacted.make(assertion), {
        keys: localKeys(client.jwks),
        algorithms: ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
        issuer: client.id,
        subject: client.id,
        now
      }),
      () => failed
    )
    const { aud, jti } = claims
    if (aud !== issuer || typeof jti !== "string" || seen.has(jti)) return yield* failed
    seen.add(jti)
    return client
  }
  if (client.secret !== (basic?.secret ?? secret ?? undefined)) return yield* failed
  return client
})

const readBasic = (header: string) => {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+=*)$/i.exec(header) ?? []
  if (encoded === undefined) return undefined
  const [id, secret, ...more] = Buffer.from(encoded, "base64").toString("utf8").split(":")
  if (id === undefined || secret === undefined || more.length > 0) return undefined
  return { id: formDecoded(id), secret: formDecoded(secret) }
}

/** RFC 6749 §2.3.1: both are form-encoded first. */
const formDecoded = (text: string): string => new URLSearchParams(`v=${text}`).get("v") ?? ""
