import { localKeys, remoteKeys } from "@federate/oidc"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { JWK } from "jose"
import { issuerUrl, keyPair, site } from "./issuer.ts"

const rsa = await keyPair("RS256")
const other = await keyPair("RS256", "RS256-2")
const ec = await keyPair("ES256")

const found = (keys: ReadonlyArray<JWK>, header: { alg: string; kid?: string }) =>
  Effect.result(localKeys({ keys }).find(header))

const detail = (keys: ReadonlyArray<JWK>, header: { alg: string; kid?: string }) =>
  Effect.map(Effect.flip(localKeys({ keys }).find(header)), (error) => {
    assert.isTrue(error._tag === "VerificationError" && error.check === "key")
    return error.message
  })

describe("localKeys", () => {
  it.effect("finds a key by its name, and hands out its public part alone", () =>
    Effect.gen(function* () {
      const key = yield* localKeys({ keys: [other.jwk, { ...rsa.jwk, d: "private" }] }).find({
        alg: "RS256",
        kid: "RS256-1"
      })
      assert.deepStrictEqual(key, { kty: "RSA", n: rsa.jwk.n!, e: "AQAB" })
    })
  )

  it.effect("takes a token that names no key when only one could be meant", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* found([rsa.jwk, ec.jwk], { alg: "ES256" }))._tag, "Success")
      assert.match(
        yield* detail([rsa.jwk, other.jwk], { alg: "RS256" }),
        /names no key \(kid\), and 2 of the issuer's 2/
      )
      assert.match(yield* detail([ec.jwk], { alg: "RS256" }), /and 0 of the issuer's 1/)
    })
  )

  it.effect("says that a key is not published", () =>
    Effect.gen(function* () {
      assert.match(
        yield* detail([rsa.jwk], { alg: "RS256", kid: "gone" }),
        /publishes no key "gone"/
      )
    })
  )

  it.effect("refuses keys that are of another kind, not for signatures, or too weak", () =>
    Effect.gen(function* () {
      const n1024 = Buffer.alloc(128, 0xff).toString("base64url")
      const n2047 = Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(255, 0xff)]).toString(
        "base64url"
      )
      const { alg: _, ...noAlg } = rsa.jwk
      for (const [name, wrong] of Object.entries({
        encryption: { use: "enc" },
        "key operations": { use: undefined, key_ops: ["encrypt"] },
        "another algorithm": { alg: "RS512" },
        "another kind": { kty: "EC", crv: "P-256" },
        "1024 bits": { n: n1024 },
        "2047 bits": { n: n2047 },
        "exponent 1": { e: "AQ" },
        "even exponent": { e: "AQAA" },
        "zero exponent": { e: "AAAA" },
        "no modulus": { n: undefined },
        "modulus of nonsense": { n: "!!" },
        "no exponent": { e: undefined }
      })) {
        const jwk = { ...rsa.jwk, ...wrong, kid: "k" } as JWK
        assert.match(yield* detail([jwk], { alg: "RS256", kid: "k" }), /cannot verify RS256/, name)
      }
      assert.match(
        yield* detail([{ ...ec.jwk, crv: "P-384" }], { alg: "ES256", kid: "ES256-1" }),
        /cannot verify/
      )
      assert.match(
        yield* detail([{ kty: "oct", k: "AAAA", kid: "k" }], { alg: "HS256", kid: "k" }),
        /cannot verify/
      )
      assert.strictEqual((yield* found([noAlg], { alg: "RS512", kid: "RS256-1" }))._tag, "Success")
    })
  )

  it.effect(
    "reads a modulus as Cognito writes it: standard base64 with a zero octet in front",
    () =>
      Effect.gen(function* () {
        const octets = Buffer.concat([Buffer.from([0]), Buffer.from(rsa.jwk.n!, "base64url")])
        const jwk = { ...rsa.jwk, n: octets.toString("base64") }
        assert.deepStrictEqual(
          yield* localKeys({ keys: [jwk] }).find({ alg: "RS256", kid: "RS256-1" }),
          {
            kty: "RSA",
            n: rsa.jwk.n!,
            e: "AQAB"
          }
        )
      })
  )
})

describe("remoteKeys", () => {
  const header = { alg: "RS256", kid: "RS256-1" }

  it.effect("fetches once for all, and remembers", () =>
    Effect.gen(function* () {
      const remote = site()
      remote.keys.push(rsa.jwk)
      const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
      yield* Effect.all(
        Array.from({ length: 50 }, () => keys.find(header)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(remote.fetched, [
        `${issuerUrl}/.well-known/openid-configuration`,
        `${issuerUrl}/keys`
      ])
      yield* TestClock.adjust("59 minutes")
      yield* keys.find(header)
      assert.strictEqual(remote.fetched.length, 2)
      yield* TestClock.adjust("1 minute")
      yield* keys.find(header)
      assert.strictEqual(remote.fetched.length, 4)
    })
  )

  for (const [cacheControl, minutes] of [
    ["public, max-age=600", 10],
    ["max-age=1", 5],
    ["no-store", 60],
    ["max-age=99999999", 24 * 60]
  ] as const) {
    it.effect(`believes them for ${minutes} minutes on "${cacheControl}"`, () =>
      Effect.gen(function* () {
        const remote = site()
        remote.keys.push(rsa.jwk)
        remote.headers["cache-control"] = cacheControl
        const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
        yield* keys.find(header)
        yield* TestClock.adjust(minutes * 60_000 - 1)
        yield* keys.find(header)
        assert.strictEqual(remote.fetched.length, 2)
        yield* TestClock.adjust(1)
        yield* keys.find(header)
        assert.strictEqual(remote.fetched.length, 4)
      })
    )
  }

  it.effect(
    "fetches again for a key that it does not know, but not more often than every 30 s",
    () =>
      Effect.gen(function* () {
        const remote = site()
        remote.keys.push(rsa.jwk)
        const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
        const rotated = { alg: "RS256", kid: "RS256-2" }
        assert.match((yield* Effect.flip(keys.find(rotated))).message, /publishes no key/)
        assert.strictEqual(remote.fetched.length, 2)
        remote.keys.push(other.jwk)
        yield* TestClock.adjust("29 seconds")
        yield* Effect.flip(keys.find(rotated))
        assert.strictEqual(remote.fetched.length, 2)
        yield* TestClock.adjust("1 second")
        yield* Effect.all(
          Array.from({ length: 10 }, () => keys.find(rotated)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(remote.fetched.length, 4)
      })
  )

  it.effect(
    "lets old keys serve for a day while the issuer is down, and leaves it be for 30 s",
    () =>
      Effect.gen(function* () {
        const remote = site()
        remote.keys.push(rsa.jwk)
        const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
        yield* keys.find(header)
        remote.answer = async () => new Response("", { status: 503 })
        yield* TestClock.adjust("61 minutes")
        yield* keys.find(header)
        yield* keys.find(header)
        assert.strictEqual(remote.fetched.length, 3)
        yield* TestClock.adjust("30 seconds")
        yield* keys.find(header)
        assert.strictEqual(remote.fetched.length, 4)
        yield* TestClock.adjust("23 hours")
        const error = yield* Effect.flip(keys.find(header))
        assert.isTrue(error._tag === "FederationError" && error.reason._tag === "Transient")
        remote.answer = undefined
        yield* TestClock.adjust("30 seconds")
        yield* keys.find(header)
      })
  )

  it.effect("does not lock anybody out when the one who fetches leaves", () =>
    Effect.gen(function* () {
      const remote = site()
      remote.keys.push(rsa.jwk)
      remote.answer = () => new Promise(() => {})
      const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
      const first = yield* Effect.forkChild(keys.find(header))
      yield* TestClock.adjust(0)
      remote.answer = undefined
      const second = yield* Effect.forkChild(keys.find(header))
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Fiber.join(second)).kty, "RSA")
    })
  )

  it.effect("counts the first hundred keys", () =>
    Effect.gen(function* () {
      const remote = site()
      for (let n = 0; n < 100; n++) remote.keys.push({ ...other.jwk, kid: `k${n}` })
      remote.keys.push(rsa.jwk, "nonsense", null)
      const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
      assert.match((yield* Effect.flip(keys.find(header))).message, /publishes no key "RS256-1"/)
      assert.strictEqual((yield* keys.find({ alg: "RS256", kid: "k99" })).kty, "RSA")
    })
  )

  it.effect("is not kept busy by ten thousand keys", () =>
    Effect.gen(function* () {
      const remote = site()
      remote.keys.push(...Array.from({ length: 10_000 }, () => ({ kty: "RSA" })), rsa.jwk)
      const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
      assert.match((yield* Effect.flip(keys.find(header))).message, /publishes no key/)
      // Real ones come to more than is read.
      const real = site()
      real.keys.push(...Array.from({ length: 10_000 }, (_, n) => ({ ...rsa.jwk, kid: `k${n}` })))
      const many = yield* remoteKeys({ issuer: issuerUrl, fetch: real.fetch })
      assert.match((yield* Effect.flip(many.find(header))).message, /more than 524288 bytes/)
    })
  )

  it.effect("needs no discovery document where it is told where the keys are", () =>
    Effect.gen(function* () {
      const remote = site()
      remote.keys.push(rsa.jwk)
      const jwksUri = `${issuerUrl}/keys`
      const keys = yield* remoteKeys({ issuer: issuerUrl, jwksUri, fetch: remote.fetch })
      assert.strictEqual((yield* keys.find(header)).kty, "RSA")
      assert.deepStrictEqual(remote.fetched, [jwksUri])
      const plain = yield* remoteKeys({ issuer: issuerUrl, jwksUri: "http://issuer.example/keys" })
      assert.match((yield* Effect.flip(plain.find(header))).message, /is http to issuer\.example/)
    })
  )

  it.effect("says how long it leaves an issuer alone that could not be reached", () =>
    Effect.gen(function* () {
      const remote = site()
      remote.answer = async () => new Response("", { status: 503 })
      const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
      yield* TestClock.setTime(1_000_000)
      yield* Effect.flip(keys.find(header))
      yield* TestClock.adjust("10 seconds")
      const error = yield* Effect.flip(keys.find(header))
      assert.isTrue(error._tag === "FederationError" && error.retryAt === 1_030_000)
      assert.strictEqual(remote.fetched.length, 1)
    })
  )

  it.effect("says what is wrong with an issuer", () =>
    Effect.gen(function* () {
      for (const [change, problem] of [
        [{ issuer: `${issuerUrl}/` }, /names another issuer, "https:\/\/issuer.example\/tenant\/"/],
        [{ issuer: undefined }, /names no issuer/],
        [{ jwks_uri: undefined }, /has no jwks_uri/],
        [{ jwks_uri: "http://issuer.example/keys" }, /is http to issuer\.example/],
        [{ jwks_uri: `${issuerUrl}/.well-known/openid-configuration` }, /has no keys/],
        [{ jwks_uri: `${issuerUrl}/nowhere` }, /answered 404/]
      ] as const) {
        const remote = site()
        Object.assign(remote.discovery, change)
        const keys = yield* remoteKeys({ issuer: issuerUrl, fetch: remote.fetch })
        const error = yield* Effect.flip(keys.find(header))
        assert.strictEqual(error._tag, "FederationError")
        assert.match(error.message, problem)
      }
      const plain = yield* remoteKeys({ issuer: "http://issuer.example" })
      assert.match((yield* Effect.flip(plain.find(header))).message, /Use https/)
    })
  )

  it.effect("takes a trailing slash of the issuer to the letter, but not into the address", () =>
    Effect.gen(function* () {
      const remote = site()
      remote.keys.push(rsa.jwk)
      remote.discovery["issuer"] = `${issuerUrl}/`
      yield* (yield* remoteKeys({ issuer: `${issuerUrl}/`, fetch: remote.fetch })).find(header)
      assert.strictEqual(remote.fetched[0], `${issuerUrl}/.well-known/openid-configuration`)
    })
  )
})
