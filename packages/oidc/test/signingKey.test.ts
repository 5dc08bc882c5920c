import { createHash, createPublicKey } from "node:crypto"
import { generateSigningKey, localKeys, readSigningKey, verify } from "@federate/oidc"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Schema } from "effect"
import { jwk, pem, privateKeys } from "./keys.ts"

const read = (text: Redacted.Redacted, algorithm?: string) =>
  readSigningKey("privateKeyFile", text, algorithm)

describe("readSigningKey", () => {
  it.effect("takes each kind of key in each form, and signs what its published part verifies", () =>
    Effect.gen(function* () {
      const { ed25519, p256, p384, rsa } = privateKeys
      for (const [key, named, signs] of [
        [rsa, undefined, "RS256"],
        [rsa, "RS512", "RS512"],
        [rsa, "PS256", "PS256"],
        [p256, undefined, "ES256"],
        [p384, undefined, "ES384"],
        [ed25519, undefined, "EdDSA"],
        [ed25519, "Ed25519", "Ed25519"]
      ] as const) {
        for (const text of [pem(key), jwk(key)]) {
          const { algorithm, kid, published, sign } = yield* read(text, named)
          assert.strictEqual(algorithm, signs)
          const token = yield* sign({ sub: "workload", exp: 60 })
          const { claims, header } = yield* verify(token, {
            keys: localKeys({ keys: [published] }),
            algorithms: [signs]
          })
          assert.deepStrictEqual(header, { alg: signs, typ: "JWT", kid })
          assert.strictEqual(claims["sub"], "workload")
        }
      }
    })
  )

  it.effect("takes the older PEM forms", () =>
    Effect.gen(function* () {
      const pkcs1 = privateKeys.rsa.export({ type: "pkcs1", format: "pem" })
      const sec1 = privateKeys.p256.export({ type: "sec1", format: "pem" })
      assert.strictEqual((yield* read(Redacted.make(`${pkcs1}`))).algorithm, "RS256")
      assert.strictEqual((yield* read(Redacted.make(`\n${sec1}\n`))).algorithm, "ES256")
    })
  )

  it.effect("names a key by its thumbprint, and publishes no private member", () =>
    Effect.gen(function* () {
      const { kid, published } = yield* read(pem(privateKeys.p256))
      const { crv, kty, x, y } = createPublicKey(privateKeys.p256).export({ format: "jwk" })
      // RFC 7638 §3.1: the members in this order, without blanks.
      const members = JSON.stringify({ crv, kty, x, y })
      assert.strictEqual(kid, createHash("sha256").update(members).digest("base64url"))
      assert.deepStrictEqual<unknown>(published, { crv, kty, x, y, use: "sig", alg: "ES256", kid })
    })
  )

  it.effect("refuses what cannot sign, says why, and shows nothing of it", () =>
    Effect.gen(function* () {
      const { p256, rsa, secp256k1, weak, x25519 } = privateKeys
      const publicKey = createPublicKey(rsa)
      const encrypted = rsa.export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "p"
      })
      for (const [text, algorithm, problem] of [
        [Redacted.make(""), undefined, /no private key that can be read/],
        [Redacted.make("{"), undefined, /no private key that can be read/],
        [Redacted.make(`${encrypted}`), undefined, /no private key.*unencrypted/s],
        [
          Redacted.make(`${publicKey.export({ type: "spki", format: "pem" })}`),
          undefined,
          /no private key/
        ],
        [
          Redacted.make(JSON.stringify(publicKey.export({ format: "jwk" }))),
          undefined,
          /no private key/
        ],
        [Redacted.make('{"kty":"oct","k":"c2VjcmV0"}'), undefined, /no private key/],
        [pem(secp256k1), undefined, /a secp256k1 key, which cannot sign JWTs/],
        [pem(x25519), undefined, /a X25519 key, which cannot sign JWTs/],
        [pem(p256), "ES384", /a P-256 key, which cannot sign ES384/],
        [pem(rsa), "ES256", /an RSA key, which cannot sign ES256/],
        [pem(rsa), "HS256", /cannot sign HS256/],
        [pem(weak), undefined, /too weak/]
      ] as const) {
        const { hint, problem: told, setting } = yield* Effect.flip(read(text, algorithm))
        assert.match(`${told} ${hint}`, problem)
        assert.strictEqual(setting, "privateKeyFile")
        const secret = Redacted.value(text).slice(40, 80)
        if (secret !== "") assert.notInclude(told + hint, secret)
      }
    })
  )
})

describe("readSigningKey, of anything", () => {
  const cut = Redacted.value(pem(privateKeys.p256))

  it.effect.prop(
    "is a key or says why not, and quotes nothing",
    [Schema.String, Schema.Int],
    ([text, at]) =>
      Effect.gen(function* () {
        const start = Math.abs(at) % cut.length
        for (const wrong of [text, `{${text}`, cut.slice(0, start) + text + cut.slice(start + 1)]) {
          const result = yield* Effect.result(read(Redacted.make(wrong)))
          if (Result.isFailure(result)) assert.notInclude(result.failure.problem, cut.slice(40, 60))
        }
      })
  )
})

describe("generateSigningKey", () => {
  it.effect("makes a key for each algorithm that there is", () =>
    Effect.gen(function* () {
      for (const algorithm of ["RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"]) {
        const text = yield* generateSigningKey(algorithm)
        assert.match(Redacted.value(text), /^-----BEGIN PRIVATE KEY-----/)
        assert.strictEqual((yield* read(text, algorithm)).algorithm, algorithm)
      }
    })
  )
})
