/** An issuer that signs and publishes its key, behind a `fetch`. */
import { generateKeyPairSync, sign } from "node:crypto"
import { Assertion } from "@federate/core"
import { Redacted, Result } from "effect"

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })

const issuer = "https://issuer.example"

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

export const signed = (
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {}
): Assertion.Assertion => {
  const content = `${part({ alg: "RS256", kid: "k1", ...header })}.${part({ iss: issuer, ...claims })}`
  const signature = sign("sha256", Buffer.from(content), privateKey).toString("base64url")
  return Result.getOrThrow(
    Assertion.fromJwt(Redacted.make(`${content}.${signature}`), { obtainedAt: 0 })
  )
}

const documents: Readonly<Record<string, unknown>> = {
  [`${issuer}/.well-known/openid-configuration`]: { issuer, jwks_uri: `${issuer}/keys` },
  [`${issuer}/keys`]: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1" }] }
}

/** @param other documents in the place of the issuer's own, by path; nothing is a 404 */
export const publishing =
  (other: Readonly<Record<string, unknown>> = {}) =>
  async (url: string): Promise<Response> => {
    const path = url.slice(issuer.length)
    const document = Object.hasOwn(other, path) ? other[path] : documents[url]
    return document === undefined
      ? new Response("", { status: 404 })
      : Response.json(document, { headers: { date: "Thu, 01 Jan 1970 00:00:00 GMT" } })
  }
