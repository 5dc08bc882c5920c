/** An issuer with real keys, reached through a passed `fetch`. */
import type { Fetch } from "@federate/http"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import type { JWK, JWTHeaderParameters, JWTPayload } from "jose"

export const issuerUrl = "https://issuer.example/tenant"

export const keyPair = async (alg: string, kid = `${alg}-1`) => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }
  const sign = (claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  return { jwk, sign, privateKey, publicKey }
}

export interface Site {
  readonly keys: Array<unknown>
  readonly discovery: Record<string, unknown>
  readonly headers: Record<string, string>
  /** What was fetched, in order. */
  readonly fetched: Array<string>
  /** Answers instead of the site while it is set. */
  answer: (() => Promise<Response>) | undefined
  readonly fetch: Fetch
}

export const site = (): Site => {
  const self: Site = {
    keys: [],
    discovery: { issuer: issuerUrl, jwks_uri: `${issuerUrl}/keys` },
    headers: {},
    fetched: [],
    answer: undefined,
    fetch: async (url) => {
      self.fetched.push(url)
      if (self.answer !== undefined) return self.answer()
      if (url === `${issuerUrl}/.well-known/openid-configuration`)
        return Response.json(self.discovery)
      if (url === `${issuerUrl}/keys`)
        return Response.json({ keys: self.keys }, { headers: self.headers })
      return new Response("no", { status: 404 })
    }
  }
  return self
}
