/** Which published key may verify which signature. */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { JWK } from "jose"

/** The kind of key that an algorithm works with (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864). */
export const kinds: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" }
}

/** The asymmetric algorithms that can be verified here. `none` and the HMACs are not among them, in any letter case. */
export const algorithms: ReadonlyArray<string> = Object.keys(kinds)

/** In bits (RFC 7518 §3.3). */
const leastModulus = 2048

/**
 * The public part of a published key when it may verify signatures by this algorithm: of the right kind, meant for
 * signatures, and strong enough. Libraries let through keys for encryption, and RSA keys with an exponent of 1.
 */
export const publicKeyFor = (alg: string, jwk: JWK): JWK | undefined => {
  const kind = kinds[alg]
  if (kind === undefined || jwk.kty !== kind.kty) return undefined
  if (kind.crv !== undefined && jwk.crv !== kind.crv) return undefined
  if (jwk.use !== undefined && jwk.use !== "sig") return undefined
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes("verify")) return undefined
  if (jwk.alg !== undefined && jwk.alg !== alg) return undefined
  const { crv, e, kty, n, x, y } = jwk
  if (kty !== "RSA") return { kty, ...(crv && { crv }), ...(x && { x }), ...(y && { y }) }
  const modulus = number(n)
  const exponent = number(e)
  if (modulus === undefined || exponent === undefined) return undefined
  if (bits(modulus) < leastModulus || bits(exponent) < 2 || (exponent.at(-1)! & 1) === 0)
    return undefined
  return { kty, n: Base64Url.encode(modulus), e: Base64Url.encode(exponent) }
}

/**
 * A big-endian number without leading zeros. Cognito publishes its moduli in standard base64 with a zero octet in
 * front, which RFC 7518 §6.3.1.1 forbids and everybody reads all the same.
 */
const number = (text: unknown): Uint8Array | undefined => {
  if (typeof text !== "string") return undefined
  const decoded = /[+/=]/.test(text) ? Base64.decode(text) : Base64Url.decode(text)
  if (Result.isFailure(decoded)) return undefined
  const start = decoded.success.findIndex((octet) => octet !== 0)
  return start === -1 ? undefined : decoded.success.subarray(start)
}

const bits = (octets: Uint8Array): number => octets.length * 8 - Math.clz32(octets[0]!) + 24
