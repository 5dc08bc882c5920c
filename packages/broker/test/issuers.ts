/** Issuers with real keys, reached through a passed `fetch`. */
import type { Fetch } from "@federate/http"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import type { JWK, JWTHeaderParameters } from "jose"
import { Effect } from "effect"

export interface Token {
  readonly claims?: Readonly<Record<string, unknown>>
  /** Besides `alg` and `kid`. Default: a `typ`. */
  readonly header?: Partial<JWTHeaderParameters>
  /** In seconds. Default 300. */
  readonly lifetime?: number
}

export interface Issuer {
  readonly url: string
  /** A token for `party`, about `repo:org/app:main`, unless told otherwise; `undefined` leaves a claim out. */
  readonly issue: (token?: Token) => Effect.Effect<string>
  /** Signs with a new key from now on, and publishes that alone. */
  readonly rotate: () => Effect.Effect<void>
  /** The public key that it signs with. */
  readonly jwk: () => JWK
  /** What was fetched of it, in order. */
  readonly fetched: Array<string>
  /** Answers in its place while it is set. */
  answer: ((url: string) => Promise<Response>) | undefined
}

const pair = async (alg: string, kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }
  return { privateKey, jwk }
}

/** What needs no other signature than this key's. */
export const sign = (
  key: Parameters<SignJWT["sign"]>[0],
  header: JWTHeaderParameters,
  url: string,
  { claims, lifetime = 300 }: Token = {}
): Effect.Effect<string> =>
  Effect.promise(() => {
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({
      iss: url,
      sub: "repo:org/app:main",
      aud: "party",
      iat: now,
      exp: now + lifetime,
      ...claims
    })
      .setProtectedHeader(header)
      .sign(key)
  })

export const issuer = async (url: string, alg = "RS256"): Promise<Issuer> => {
  let count = 1
  let current = await pair(alg, `key-${count}`)
  return {
    url,
    fetched: [],
    answer: undefined,
    jwk: () => current.jwk,
    issue: (token = {}) =>
      sign(
        current.privateKey,
        { alg, kid: current.jwk.kid!, ...(token.header ?? { typ: "JWT" }) },
        url,
        token
      ),
    rotate: () => Effect.promise(async () => void (current = await pair(alg, `key-${++count}`)))
  }
}

/** The network that these issuers are on. */
export const network =
  (...issuers: ReadonlyArray<Issuer>): Fetch =>
  async (url) => {
    const found = issuers.find((each) => url.startsWith(`${each.url}/`))
    if (found === undefined) return new Response("", { status: 404 })
    found.fetched.push(url.slice(found.url.length))
    if (found.answer !== undefined) return found.answer(url)
    return Response.json(
      url.endsWith("/keys")
        ? { keys: [found.jwk()] }
        : { issuer: found.url, jwks_uri: `${found.url}/keys` }
    )
  }
