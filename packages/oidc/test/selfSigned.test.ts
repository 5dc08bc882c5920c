import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { localKeys, readSigningKey, selfSigned, verify } from "@federate/oidc"
import type { SelfSignedOptions } from "@federate/oidc"
import { selfSigned as adapter } from "@federate/oidc/adapter"
import { adapterContract, ambientSourceContract, visible } from "@federate/testing"
import { AssertionSource, Flow } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { afterAll } from "vitest"
import { pem, privateKeys } from "./keys.ts"

const directory = mkdtempSync(join(tmpdir(), "federate-oidc-"))
afterAll(() => rmSync(directory, { recursive: true }))

const issuer = "https://id.example/federate"
const options: SelfSignedOptions = {
  issuer,
  subject: "build",
  privateKey: pem(privateKeys.rsa)
}
const make = (change: Partial<SelfSignedOptions> = {}) => selfSigned({ ...options, ...change })
const ask = (
  change: Partial<SelfSignedOptions> = {},
  request: AssertionSource.AssertionRequest = { audience: "party" }
) => Effect.flatMap(make(change), (source) => source.assertion(request))

ambientSourceContract("An issuer of one's own", {
  make: selfSigned({ ...options, audience: "party" }),
  // Each has an id of its own.
  assertion: undefined,
  life: 300,
  secrets: [Redacted.value(options.privateKey!)],
  refused: [
    {
      name: "a file that is not there",
      make: selfSigned({
        issuer,
        subject: "build",
        audience: "party",
        privateKeyFile: join(directory, "absent.pem")
      }),
      becomes: "Unavailable"
    }
  ]
})

adapterContract("self-signed", { adapter, settings: { issuer, subject: "build" } })

describe("selfSigned", () => {
  it.effect("signs what a relying party believes, by the clock it lives in", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      const assertion = yield* ask({ lifetime: "2 minutes", claims: { environment: "prod" } })
      const { published } = yield* readSigningKey("", options.privateKey!)
      const verified = yield* verify(assertion.token, {
        keys: localKeys({ keys: [published] }),
        algorithms: ["RS256"],
        issuer,
        subject: "build",
        audience: "party",
        clockTolerance: 0
      })
      const { jti, ...claims } = verified.claims
      assert.deepStrictEqual(claims, {
        environment: "prod",
        iss: issuer,
        sub: "build",
        aud: "party",
        iat: 1000,
        nbf: 940,
        exp: 1120
      })
      assert.isString(jti)
      assert.deepInclude(assertion, { obtainedAt: 1_000_000, expiresAt: 1_120_000 })
    })
  )

  it.effect("is believed by a party whose clock is a minute behind, or ahead", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      const { token } = yield* ask()
      const { published } = yield* readSigningKey("", options.privateKey!)
      const at = (now: number) =>
        verify(token, { keys: localKeys({ keys: [published] }), algorithms: ["RS256"], now })
      yield* at(940_000)
      yield* at(1_060_000)
      for (const now of [870_000, 1_370_000])
        assert.strictEqual((yield* Effect.flip(at(now)))._tag, "VerificationError")
    })
  )

  it.effect("makes each of its own, and serves who takes each once", () =>
    Effect.gen(function* () {
      const source = yield* make({ audience: "party" })
      const flow = Flow.direct({
        source,
        exchanger: {
          name: "once",
          asks: { singleUse: true },
          exchange: ({ token }) =>
            Effect.succeed({
              _tag: "AccessToken",
              token,
              tokenType: "Bearer",
              obtainedAt: 0,
              expiresAt: 1
            })
        }
      })
      const tokens = yield* Effect.all([1, 2, 3].map(() => flow.credential()))
      assert.strictEqual(new Set(tokens.map(({ token }) => Redacted.value(token))).size, 3)
    })
  )

  it.effect("has the one audience that is set, or the one that is asked for", () =>
    Effect.gen(function* () {
      const aud = (change: Partial<SelfSignedOptions>, request: AssertionSource.AssertionRequest) =>
        Effect.map(ask(change, request), ({ claims }) => claims["aud"])
      assert.strictEqual(yield* aud({}, { audience: "a", preferredAudience: "b" }), "a")
      assert.strictEqual(yield* aud({}, { preferredAudience: "b" }), "b")
      assert.strictEqual(yield* aud({ audience: "c" }, { preferredAudience: "b" }), "c")
      for (const [change, request] of [
        [{}, {}],
        [{ audience: "c" }, { audience: "a" }]
      ] as const) {
        const { reason } = yield* Effect.flip(ask(change, request))
        assert.isTrue(reason._tag === "Misconfigured" && reason.setting === "audience")
      }
    })
  )

  it.effect("offers what it gives", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* make()).offers, {
        issuer,
        audience: "any",
        algorithms: ["RS256"]
      })
      const file = { privateKey: undefined, privateKeyFile: "later.pem" }
      assert.deepStrictEqual((yield* make({ ...file, audience: "a" })).offers, {
        issuer,
        audience: { only: "a" }
      })
      assert.deepStrictEqual((yield* make({ ...file, algorithm: "ES256" })).offers.algorithms, [
        "ES256"
      ])
    })
  )

  it.effect("reads its file at each use, so that a key is exchanged under it", () =>
    Effect.gen(function* () {
      const file = join(directory, "key.pem")
      const source = yield* make({ privateKey: undefined, privateKeyFile: file })
      const kid = Effect.map(source.assertion({ audience: "a" }), ({ header }) => header["kid"])
      const absent = yield* Effect.flip(kid)
      assert.strictEqual(absent.reason._tag, "Unavailable")
      assert.include(absent.message, file)
      for (const key of [privateKeys.rsa, privateKeys.p256]) {
        writeFileSync(file, Redacted.value(pem(key)))
        assert.strictEqual(yield* kid, (yield* readSigningKey("", pem(key))).kid)
      }
      for (const [content, problem] of [
        ["", /no private key that can be read/],
        ["x".repeat(100_000), /too large/]
      ] as const) {
        writeFileSync(file, content)
        const { message, reason } = yield* Effect.flip(kid)
        assert.isTrue(reason._tag === "Misconfigured" && reason.setting === "privateKeyFile")
        assert.match(message, problem)
      }
      const { message } = yield* Effect.flip(
        ask({ privateKey: undefined, privateKeyFile: directory })
      )
      assert.match(message, /is no file/)
    })
  )

  it.effect("says before it signs anything which setting cannot work", () =>
    Effect.gen(function* () {
      for (const [change, setting] of [
        [{ issuer: "http://id.example" }, "issuer"],
        [{ issuer: "id.example" }, "issuer"],
        [{ issuer: "https://id.example?a" }, "issuer"],
        [{ issuer: "https://id.example#a" }, "issuer"],
        [{ subject: "" }, "subject"],
        [{ lifetime: 0 }, "lifetime"],
        [{ lifetime: 1500 }, "lifetime"],
        [{ lifetime: "2 hours" }, "lifetime"],
        [{ claims: { aud: "x" } }, "claims.aud"],
        [{ privateKey: undefined }, "privateKeyFile"],
        [{ privateKeyFile: "x" }, "privateKey"],
        [{ privateKey: Redacted.make("x") }, "privateKey"],
        [{ algorithm: "ES256" }, "privateKey"]
      ] as const) {
        const error = yield* Effect.flip(make(change))
        assert.strictEqual(error.stage, "configuration")
        assert.isTrue(error.reason._tag === "Misconfigured", visible(error))
        assert.propertyVal(error.reason, "setting", setting)
      }
    })
  )

  it.effect("is made of what a config file says", () =>
    Effect.gen(function* () {
      const config = Schema.decodeUnknownEffect(adapter.config, { onExcessProperty: "error" })
      const source = yield* adapter.make(
        yield* config({
          issuer,
          subject: "build",
          lifetime: "2m",
          privateKey: Redacted.value(options.privateKey!),
          claims: { environment: ["prod", 1] }
        }),
        {}
      )
      const { claims, lifetime } = yield* source.assertion({ audience: "a" })
      assert.strictEqual(lifetime, 120_000)
      assert.deepStrictEqual(claims["environment"], ["prod", 1])
    })
  )

  it.effect("shows nothing of its key", () =>
    Effect.gen(function* () {
      const source = yield* make()
      const secret = Redacted.value(options.privateKey!).slice(40, 80)
      assert.notInclude(visible(source), secret)
      assert.notInclude(visible(yield* source.assertion({ audience: "a" })), secret)
    })
  )
})
