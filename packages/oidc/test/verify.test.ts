import { algorithms, localKeys, verify } from "@federate/oidc"
import type { Check, VerifyOptions } from "@federate/oidc"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { createHmac } from "node:crypto"
import type { JWTPayload } from "jose"
import { issuerUrl, keyPair } from "./issuer.ts"

const pairs = Object.fromEntries(
  await Promise.all(algorithms.map(async (alg) => [alg, await keyPair(alg)] as const))
)
const rsa = pairs["RS256"]!
const keys = localKeys({ keys: Object.values(pairs).map(({ jwk }) => jwk) })

const claims: JWTPayload = {
  iss: issuerUrl,
  sub: "workload",
  aud: "party",
  iat: 1000,
  nbf: 1000,
  exp: 1600
}
const options: VerifyOptions = {
  keys,
  algorithms: ["RS256"],
  issuer: issuerUrl,
  audience: "party",
  subject: "workload",
  now: 1_300_000
}

const check = (token: string, change: Partial<VerifyOptions> = {}) =>
  verify(Redacted.make(token), { ...options, ...change }).pipe(
    Effect.map((): Check | "believed" => "believed"),
    Effect.catchTag("VerificationError", (error) => Effect.succeed(error.check))
  )

const signed = (change: JWTPayload = {}) => Effect.promise(() => rsa.sign({ ...claims, ...change }))

const encode = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

describe("verify", () => {
  it.effect("believes a token that is right in everything", () =>
    Effect.gen(function* () {
      const believed = yield* verify(Redacted.make(yield* signed()), options)
      assert.deepStrictEqual(believed.claims, { ...claims })
      assert.deepStrictEqual(believed.header, { alg: "RS256", kid: "RS256-1" })
    })
  )

  for (const alg of algorithms) {
    it.effect(`verifies ${alg}, and only where it is accepted`, () =>
      Effect.gen(function* () {
        const token = yield* Effect.promise(() => pairs[alg]!.sign(claims))
        assert.strictEqual(yield* check(token, { algorithms: [alg] }), "believed")
        assert.strictEqual(
          yield* check(token, { algorithms: algorithms.filter((other) => other !== alg) }),
          "algorithm"
        )
        // One bit, in the middle: the last character may carry none.
        const at = token.lastIndexOf(".") + 20
        const tampered = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1)
        assert.strictEqual(yield* check(tampered, { algorithms: [alg] }), "signature")
      })
    )
  }

  it.effect("refuses none and HMAC, whatever the list says", () =>
    Effect.gen(function* () {
      const unsigned = (alg: string) => `${encode({ alg })}.${encode(claims)}.AAAA`
      for (const alg of ["none", "None", "NONE", "nOnE", "HS256"]) {
        assert.strictEqual(yield* check(unsigned(alg), { algorithms: ["RS256", alg] }), "algorithm")
      }
      assert.strictEqual(yield* check(`${encode({ alg: "none" })}.${encode(claims)}.`), "form")
      assert.strictEqual(yield* check(`${encode({})}.${encode(claims)}.AAAA`), "algorithm")
      // The public key taken for an HMAC secret.
      const signingInput = `${encode({ alg: "HS256", kid: "RS256-1" })}.${encode(claims)}`
      const mac = createHmac("sha256", rsa.jwk.n!).update(signingInput).digest("base64url")
      assert.strictEqual(
        yield* check(`${signingInput}.${mac}`, { algorithms: ["HS256"] }),
        "algorithm"
      )
    })
  )

  it.effect("refuses every form but the one canonical one", () =>
    Effect.gen(function* () {
      const token = yield* signed()
      const [header, payload, signature] = token.split(".") as [string, string, string]
      const last = signature.at(-1)!
      const sameBits = String.fromCharCode(last.charCodeAt(0) + 1)
      for (const bad of [
        "",
        "opaque",
        `${header}.${payload}`,
        `${header}.${payload}.${signature}.x.y`,
        ` ${token}`,
        `${token}\n`,
        `${header}=.${payload}.${signature}`,
        `${header}.${payload.slice(0, 9)} ${payload.slice(9)}.${signature}`,
        `${header}.${payload}.${signature}==`,
        // The same octets written otherwise: RSA 2048 leaves four bits of the last character unused.
        `${header}.${payload}.${signature.slice(0, -1)}${sameBits}`,
        `${header}.${payload}.${"A".repeat(20_000)}`,
        `${encode('{"alg":"RS256","alg":"none"}')}.${payload}.${signature}`,
        `${header}.${encode('{"sub":"a","sub":"b"}')}.${signature}`,
        `${header}.${encode('{"a":[{"x":1,"x":2}]}')}.${signature}`,
        `${header}.${encode('{"a\\"":1,"a\\"":2}')}.${signature}`
      ]) {
        assert.strictEqual(yield* check(bad), "form", bad.slice(0, 80))
      }
    })
  )

  it.effect("is not misled by what only looks like a member named twice", () =>
    Effect.gen(function* () {
      const token = yield* signed({
        note: 'sub":"x","sub":',
        nested: { sub: "y", list: [{ sub: 1 }, { sub: 2 }] }
      })
      assert.strictEqual(yield* check(token), "believed")
    })
  )

  it.effect("refuses critical extensions, and takes no key from the token", () =>
    Effect.gen(function* () {
      const critical = `${encode({ alg: "RS256", kid: "RS256-1", crit: ["x"], x: 1 })}.${encode(claims)}.AAAA`
      assert.strictEqual(yield* check(critical), "form")
      const stranger = yield* Effect.promise(() => keyPair("RS256"))
      const { jwk } = stranger
      const forged = yield* Effect.promise(() =>
        stranger.sign(claims, { jwk, jku: "https://evil.example/keys" })
      )
      assert.strictEqual(yield* check(forged), "signature")
    })
  )

  it.effect("refuses a key that is not the issuer's", () =>
    Effect.gen(function* () {
      const token = yield* Effect.promise(() => rsa.sign(claims, { kid: "gone" }))
      assert.strictEqual(yield* check(token), "key")
    })
  )

  it.effect("compares issuer, audience and subject to the letter", () =>
    Effect.gen(function* () {
      for (const [change, failed] of [
        [{ iss: `${issuerUrl}/` }, "issuer"],
        [{ iss: issuerUrl.toUpperCase() }, "issuer"],
        [{ iss: undefined }, "issuer"],
        [{ aud: "Party" }, "audience"],
        [{ aud: ["other", "another"] }, "audience"],
        [{ aud: undefined }, "audience"],
        [{ aud: ["other", "party"] }, "believed"],
        [{ sub: "workload " }, "subject"],
        [{ sub: undefined }, "subject"]
      ] as const) {
        // What is undefined is not in the JSON.
        const token = yield* signed(change as JWTPayload)
        assert.strictEqual(yield* check(token), failed, JSON.stringify(change))
      }
    })
  )

  it.effect("asks for no claim that it was not told", () =>
    Effect.gen(function* () {
      const token = yield* Effect.promise(() => rsa.sign({ exp: 1600 }))
      yield* verify(Redacted.make(token), { keys, algorithms: ["RS256"], now: 1_000_000 })
    })
  )

  it.effect("honours exp, nbf and iat, with the tolerance that it was given", () =>
    Effect.gen(function* () {
      const at = (now: number, change: JWTPayload = {}, clockTolerance?: number) =>
        Effect.flatMap(signed(change), (token) =>
          check(token, { now: now * 1000, ...(clockTolerance !== undefined && { clockTolerance }) })
        )
      const unsure = (change: Record<string, unknown>) => at(1300, change as JWTPayload)
      assert.strictEqual(yield* at(1659), "believed")
      assert.strictEqual(yield* at(1660), "time")
      assert.strictEqual(yield* at(1599, {}, 0), "believed")
      assert.strictEqual(yield* at(1600, {}, 0), "time")
      assert.strictEqual(yield* at(1899, {}, 999_999_999), "believed")
      assert.strictEqual(yield* at(1900, {}, 999_999_999), "time")
      assert.strictEqual(yield* at(940), "believed")
      assert.strictEqual(yield* at(939), "time")
      assert.strictEqual(yield* at(1300, { nbf: 1400 }), "time")
      assert.strictEqual(yield* at(1300, { iat: 1400 }), "time")
      assert.strictEqual(yield* unsure({ nbf: undefined, iat: undefined }), "believed")
      assert.strictEqual(yield* unsure({ exp: undefined }), "time")
      assert.strictEqual(yield* unsure({ exp: 1e300 }), "believed")
    })
  )

  it.effect("says when a token ended, and what its time was", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(2_000_000)
      const { now: _, ...today } = options
      const error = yield* Effect.flip(verify(Redacted.make(yield* signed()), today))
      assert.strictEqual(
        error.message,
        "time: The token ended at 1970-01-01T00:26:40.000Z; it is 1970-01-01T00:33:20.000Z"
      )
    })
  )

  it.effect("quotes no token", () =>
    Effect.gen(function* () {
      const token = yield* Effect.promise(() => rsa.sign(claims, { kid: "gone" }))
      const error = yield* Effect.flip(verify(Redacted.make(token), options))
      assert.notInclude(JSON.stringify(error) + error.message, token.split(".")[2]!)
    })
  )
})
