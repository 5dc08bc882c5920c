/** How a client tells a token endpoint who it is (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2). */
import { randomUUID } from "node:crypto"
import { Misconfigured } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as OpenId from "openid-client"
import { secretFile } from "./secretText.ts"
import { misconfigured } from "./settings.ts"
import { readSigningKey } from "./signingKey.ts"

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/**
 * By their registered names
 * (https://www.iana.org/assignments/oauth-parameters/#token-endpoint-auth-method), and `assertion`: the flow's own
 * assertion, as it was issued, is the client's too.
 */
export const methods = [
  "none",
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
  "tls_client_auth",
  "assertion"
] as const

export type Method = (typeof methods)[number]

export interface Client {
  /** `client_id`. */
  readonly id: string
  /** Default: what the credential below is for (`client_secret_basic` for a secret), and `none` without one. */
  readonly authentication?: Method | undefined
  readonly secret?: Redacted.Redacted | undefined
  /** PEM or JWK; or, read anew each time, a file of either. */
  readonly privateKey?: Redacted.Redacted | undefined
  readonly privateKeyFile?: string | undefined
  /** What the private key signs. Default: RS256 for RSA keys; with elliptic keys the curve tells it. */
  readonly algorithm?: string | undefined
  /** Whom the signed assertion is for. Default: the issuer (RFC 10070), or the token endpoint where it is not known. */
  readonly assertionAudience?: string | undefined
  /** PEM, read anew each time: the certificate with its chain, and its private key. */
  readonly certificateFile?: string | undefined
  readonly certificateKeyFile?: string | undefined
}

/** Where it proves it, and with what at hand. */
interface Occasion {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string
  /** The flow's. */
  readonly assertion?: Assertion.Assertion
}

export interface ClientAuthentication {
  readonly id: string | undefined
  readonly method: Method
  readonly prove: (occasion: Occasion) => Effect.Effect<Proof, Reason>
}

interface Proof {
  readonly authenticate: OpenId.ClientAuth
  /** Shows the client's certificate. */
  readonly fetch?: Fetch
}

/** A client that nobody asks who it is. */
const nobody: ClientAuthentication = {
  id: undefined,
  method: "none",
  prove: () => Effect.succeed({ authenticate: () => {} })
}

/** What each method needs. */
const needs: Readonly<Record<Method, ReadonlyArray<keyof Client>>> = {
  none: [],
  client_secret_basic: ["secret"],
  client_secret_post: ["secret"],
  private_key_jwt: ["privateKey", "privateKeyFile"],
  tls_client_auth: ["certificateFile", "certificateKeyFile"],
  assertion: []
}

const credentials = [...new Set(Object.values(needs).flat())]

/** Holds a client's settings against its method, before any call. */
export const clientAuthentication = (
  client: Client | undefined
): Result.Result<ClientAuthentication, Misconfigured> => {
  if (client === undefined) return Result.succeed(nobody)
  const { id } = client
  if (id === "")
    return misconfigured("client.id", "is empty", "Write the client's id, as it is registered.")
  const given = credentials.filter((name) => client[name] !== undefined)
  const method = client.authentication ?? usual(given)
  const stray = given.find((name) => !needs[method].includes(name))
  if (stray !== undefined) {
    return misconfigured(
      `client.${stray}`,
      `is not for the authentication method ${method}`,
      "Name one credential alone, or another `client.authentication`."
    )
  }
  const complete =
    method === "private_key_jwt" ? given.length === 1 : given.length === needs[method].length
  if (!complete) {
    return misconfigured(
      "client",
      `authenticates by ${method}, which takes ${needs[method].join(method === "private_key_jwt" ? " or " : " and ")}`,
      "Write what is missing, and nothing twice."
    )
  }
  return Result.succeed({ id, method, prove: (occasion) => prove(client, method, occasion) })
}

const usual = ([first]: ReadonlyArray<keyof Client>): Method =>
  methods.find((method) => first !== undefined && needs[method].includes(first)) ?? "none"

const prove = Effect.fnUntraced(function* (
  client: Client,
  method: Method,
  occasion: Occasion
): Effect.fn.Return<Proof, Reason> {
  switch (method) {
    case "none":
      return { authenticate: OpenId.None() }
    case "client_secret_basic":
      return { authenticate: OpenId.ClientSecretBasic(Redacted.value(client.secret!)) }
    case "client_secret_post":
      return { authenticate: OpenId.ClientSecretPost(Redacted.value(client.secret!)) }
    case "private_key_jwt":
      return { authenticate: byAssertion(client.id, yield* ownAssertion(client, occasion)) }
    case "assertion":
      return { authenticate: byAssertion(client.id, occasion.assertion!.token) }
    case "tls_client_auth": {
      const certificate = yield* secretFile("client.certificateFile", client.certificateFile!)
      const key = yield* secretFile("client.certificateKeyFile", client.certificateKeyFile!)
      const { certified } = yield* Effect.promise(() => import("./certified.ts"))
      const fetch = yield* Effect.fromResult(certified(certificate, key))
      return { authenticate: OpenId.TlsClientAuth(), fetch }
    }
  }
})

/** A JWT in the place of a secret (RFC 7523 §2.2). */
export const byAssertion =
  (id: string, assertion: Redacted.Redacted): OpenId.ClientAuth =>
  (_server, _client, body) => {
    body.set("client_id", id)
    body.set("client_assertion_type", assertionType)
    body.set("client_assertion", Redacted.value(assertion))
  }

/** How long it lives, and how far back it is valid, in seconds. */
const life = 60

/** RFC 7523 §3: by the client, about the client. Signed here, by the flow's clock. */
const ownAssertion = Effect.fnUntraced(function* (
  { algorithm, assertionAudience, id, privateKey, privateKeyFile }: Client,
  { issuer, tokenEndpoint }: Occasion
) {
  const setting = privateKey === undefined ? "client.privateKeyFile" : "client.privateKey"
  const key = yield* readSigningKey(
    setting,
    privateKey ?? (yield* secretFile(setting, privateKeyFile!)),
    algorithm
  )
  const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  return yield* key.sign({
    iss: id,
    sub: id,
    aud: assertionAudience ?? issuer ?? tokenEndpoint,
    iat: now,
    nbf: now - life,
    exp: now + life,
    jti: randomUUID()
  })
})
