import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose"
import { read, running } from "../running.ts"

const sandbox = running({ setup: "empty" })

interface Discovery {
  readonly issuer: string
  readonly jwks_uri: string
  readonly id_token_signing_alg_values_supported: ReadonlyArray<string>
}

const local = (url: string) => url.replace(sandbox().https, sandbox().http)

const discovery = (name: string) =>
  read<Discovery>(local(`${sandbox().issuerUrl(name)}/.well-known/openid-configuration`))

describe("a plain issuer", () => {
  it.each(["RS256", "ES256", "ES384"] as const)(
    "mints tokens by %s that jose verifies through its discovery",
    async (algorithm) => {
      const jwt = await sandbox().issueToken("ci", {
        subject: "repo:a/b",
        audience: "api://x",
        algorithm,
        claims: { ref: "main" }
      })
      const { issuer, jwks_uri } = await discovery("ci")
      assert.strictEqual(issuer, `${sandbox().https}/issuers/ci`)
      const { payload } = await jwtVerify(jwt, createRemoteJWKSet(new URL(local(jwks_uri))), {
        issuer,
        audience: "api://x",
        subject: "repo:a/b",
        algorithms: [algorithm]
      })
      assert.strictEqual(payload["ref"], "main")
      assert.strictEqual((payload.exp ?? 0) - (payload.iat ?? 0), 300)
    }
  )

  it("says whatever it is told to, and leaves out what it is told to", async () => {
    const jwt = await sandbox().issueToken("ci", {
      subject: "s",
      audience: ["a", "b"],
      lifetime: -1000,
      claims: { iss: "https://else.example", nbf: undefined, jti: "1" },
      header: { kid: "other", typ: "at+jwt" }
    })
    const claims = decodeJwt(jwt)
    assert.deepInclude(claims, { iss: "https://else.example", aud: ["a", "b"], jti: "1" })
    assert.notProperty(claims, "nbf")
    assert.strictEqual((claims.exp ?? 0) - (claims.iat ?? 0), -1)
    assert.deepEqual(decodeProtectedHeader(jwt), { kid: "other", typ: "at+jwt", alg: "RS256" })
  })

  it("exists once its URL was asked for, and has a key then", async () => {
    const { id_token_signing_alg_values_supported: algorithms, jwks_uri } =
      await discovery("new one")
    assert.deepEqual(algorithms, ["RS256"])
    const { keys } = await read<{ keys: ReadonlyArray<Record<string, unknown>> }>(local(jwks_uri))
    assert.deepInclude(keys[0], { kid: "new one-RS256-1", alg: "RS256", use: "sig", kty: "RSA" })
    assert.notProperty(keys[0], "d")
  })

  it("does not exist before", async () => {
    const get = (path: string) => fetch(`${sandbox().http}/issuers/nobody${path}`)
    assert.strictEqual((await get("/.well-known/openid-configuration")).status, 404)
    assert.strictEqual((await get("/keys")).status, 404)
  })

  it("takes a new key for each algorithm when it rotates", async () => {
    await sandbox().issueToken("turning", { subject: "s", audience: "a", algorithm: "ES256" })
    const kids = sandbox().rotateKeys({ issuer: "turning" }, "new")
    assert.deepEqual(kids, ["turning-RS256-2", "turning-ES256-2"])
    const jwt = await sandbox().issueToken("turning", { subject: "s", audience: "a" })
    assert.strictEqual(decodeProtectedHeader(jwt).kid, "turning-RS256-2")
    const { keys } = await read<{ keys: ReadonlyArray<{ kid: string }> }>(
      local((await discovery("turning")).jwks_uri)
    )
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      kids
    )
  })

  it("mints by its own clock", async () => {
    sandbox().skew("issuer", 3_600_000)
    const jwt = await sandbox().issueToken("ci", { subject: "s", audience: "a" })
    assert.closeTo((decodeJwt(jwt).iat ?? 0) - Date.now() / 1000, 3600, 5)
    sandbox().skew("issuer", 0)
  })

  it("fails as it is told to", async () => {
    const lift = sandbox().fault("issuer.discovery", Fault.throttled(1))
    const url = local(`${sandbox().issuerUrl("ci")}/.well-known/openid-configuration`)
    assert.strictEqual((await fetch(url)).status, 429)
    lift()
  })
})
