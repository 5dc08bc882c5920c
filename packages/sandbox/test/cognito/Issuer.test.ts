import { assert, describe, it } from "@effect/vitest"
import { createPublicKey } from "node:crypto"
import type { JsonWebKey } from "node:crypto"
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose"
import { token } from "../aws.ts"
import { read, running } from "../running.ts"

interface Discovery {
  readonly issuer: string
  readonly jwks_uri: string
}

interface KeySet {
  readonly keys: ReadonlyArray<JsonWebKey & { readonly kid: string; readonly n: string }>
}

describe("Cognito's issuer", () => {
  const sandbox = running()

  it("signs as Cognito does: RS512, typ JWS, a kid of region and digit", async () => {
    const jwt = await token(sandbox())
    assert.deepEqual(decodeProtectedHeader(jwt), { kid: "us-east-11", typ: "JWS", alg: "RS512" })
    const pool = sandbox().env["COGNITO_IDENTITY_POOL_ID"]
    const claims = decodeJwt(jwt)
    assert.deepEqual(Object.keys(claims), [
      "sub",
      "aud",
      "amr",
      "iss",
      "https://cognito-identity.amazonaws.com/identity-pool-arn",
      "exp",
      "iat"
    ])
    assert.strictEqual(claims.aud, pool)
    assert.strictEqual(claims.iss, sandbox().https)
    assert.deepEqual(claims["amr"], [
      "authenticated",
      "my.dev.provider",
      `my.dev.provider:${pool}:my_user_id`
    ])
  })

  it("is verified through its discovery by jose, over https", async () => {
    const undo = sandbox().trust()
    const { issuer, jwks_uri } = await read<Discovery>(
      `${sandbox().issuer}/.well-known/openid-configuration`
    )
    assert.strictEqual(issuer, sandbox().issuer)
    assert.strictEqual(jwks_uri, `${sandbox().issuer}/.well-known/jwks_uri`)
    const { payload } = await jwtVerify(
      await token(sandbox()),
      createRemoteJWKSet(new URL(jwks_uri)),
      { issuer, audience: sandbox().env["COGNITO_IDENTITY_POOL_ID"] ?? "", algorithms: ["RS512"] }
    )
    assert.isString(payload.sub)
    undo()
  })

  it("publishes keys as RFC 7518 wants them", async () => {
    const { keys } = await read<KeySet>(`${sandbox().http}/.well-known/jwks_uri`)
    assert.lengthOf(keys, 1)
    assert.hasAllKeys(keys[0] ?? {}, ["kty", "alg", "use", "kid", "n", "e"])
    assert.match(keys[0]?.n ?? "", /^[A-Za-z0-9_-]{342}$/)
  })

  it("moves on to another key, and shows what it is told to", async () => {
    const kids = async () =>
      (await read<KeySet>(`${sandbox().http}/.well-known/jwks_uri`)).keys.map(({ kid }) => kid)
    assert.deepEqual(sandbox().rotateKeys("cognito"), ["us-east-12"])
    assert.strictEqual(decodeProtectedHeader(await token(sandbox())).kid, "us-east-12")
    assert.deepEqual(await kids(), ["us-east-11", "us-east-12"])
    sandbox().rotateKeys("cognito", "old")
    assert.deepEqual(await kids(), ["us-east-11", "us-east-12"])
    assert.strictEqual(decodeProtectedHeader(await token(sandbox())).kid, "us-east-13")
    sandbox().rotateKeys("cognito", "new")
    assert.deepEqual(await kids(), ["us-east-14"])
  })
})

describe("Cognito's issuer under its real name, with the base64 defect of old", () => {
  const sandbox = running({
    cognito: { issuer: "https://cognito-identity.amazonaws.com", base64Defect: true }
  })

  it("names itself as the real one does", async () => {
    assert.strictEqual(decodeJwt(await token(sandbox())).iss, sandbox().issuer)
    const document = await read<Discovery>(`${sandbox().http}/.well-known/openid-configuration`)
    assert.strictEqual(document.issuer, "https://cognito-identity.amazonaws.com")
    assert.strictEqual(
      document.jwks_uri,
      "https://cognito-identity.amazonaws.com/.well-known/jwks_uri"
    )
  })

  it("publishes a modulus in standard base64 with a zero octet in front", async () => {
    const { keys } = await read<KeySet>(`${sandbox().http}/.well-known/jwks_uri`)
    const [key] = keys
    assert.isDefined(key)
    const { n } = key
    assert.match(n, /^A[I-P][A-Za-z0-9+/]{341}=$/)
    assert.strictEqual(Buffer.from(n, "base64")[0], 0)
    assert.strictEqual(Buffer.from(n, "base64").length, 257)
    // Node reads it all the same.
    assert.strictEqual(
      createPublicKey({ key, format: "jwk" }).asymmetricKeyDetails?.modulusLength,
      2048
    )
  })

  it("is still found by the sandbox's own Entra", async () => {
    const { env, http } = sandbox()
    const response = await fetch(`${http}/${env["AZURE_TENANT_ID"]}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: env["AZURE_CLIENT_ID"] ?? "",
        scope: "https://graph.microsoft.com/.default",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: await token(sandbox())
      })
    })
    assert.strictEqual(response.status, 200)
    assert.strictEqual(sandbox().count("cognito.discovery"), 1 + 1)
    assert.strictEqual(sandbox().count("cognito.keys"), 1 + 1)
  })
})
