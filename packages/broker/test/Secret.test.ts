import { assert, describe, it } from "@effect/vitest"
import { make } from "@federate/broker"
import { Effect, Redacted, Schema } from "effect"
import { assertions, keys, serving, tokens } from "./serving.ts"

const every = Effect.gen(function* () {
  const flows = [
    yield* tokens("graph", { cloud: "azure" }),
    yield* keys("bucket"),
    yield* assertions("plain")
  ]
  const broker = yield* serving(flows.map(({ served }) => served))
  const { variables } = broker
  const secrets = {
    azure: variables["IDENTITY_HEADER"]!,
    aws: variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]!,
    broker: variables["FEDERATE_BROKER_TOKEN"]!
  }
  const presented = (secret: string) => ({
    azure: broker.ask("/msi/token?api-version=2019-08-01&resource=https://x", {
      headers: { "X-IDENTITY-HEADER": secret }
    }),
    aws: broker.ask("/aws/credentials", { headers: { Authorization: secret } }),
    broker: broker.ask("/subject-token/plain", { headers: { Authorization: `Bearer ${secret}` } })
  })
  return { ...broker, secrets, presented }
})

describe("a caller's secret", () => {
  it.live("opens its own protocol, and no other", () =>
    Effect.gen(function* () {
      const { presented, secrets } = yield* every
      for (const [name, secret] of Object.entries(secrets)) {
        assert.match(secret, /^[\w-]{43}$/)
        for (const [protocol, asking] of Object.entries(presented(secret))) {
          assert.strictEqual((yield* asking).status, protocol === name ? 200 : 401)
        }
      }
    })
  )

  it.live("is right to the last character", () =>
    Effect.gen(function* () {
      const { presented, secrets } = yield* every
      for (const name of ["azure", "aws", "broker"] as const) {
        const secret = secrets[name]
        const other = (character: string) => (character === "A" ? "B" : "A")
        const wrong = [
          secret.slice(0, -1) + other(secret.slice(-1)),
          other(secret.slice(0, 1)) + secret.slice(1),
          secret.slice(0, -1),
          `${secret}A`,
          `${secret}é`,
          secret.toLowerCase(),
          secret.toUpperCase(),
          "x".repeat(43),
          "é".repeat(43),
          `${secret.slice(0, -1)}é`,
          ""
        ]
        for (const each of wrong) {
          assert.strictEqual((yield* presented(each)[name]).status, 401)
        }
      }
    })
  )

  it.live("is a bearer token by the scheme's name in any case, and by no other scheme", () =>
    Effect.gen(function* () {
      const { ask, secrets } = yield* every
      const status = (Authorization: string) =>
        Effect.map(ask("/subject-token/plain", { headers: { Authorization } }), (got) => got.status)
      for (const right of ["Bearer ", "bearer ", "BEARER    "]) {
        assert.strictEqual(yield* status(`${right}${secrets.broker}`), 200)
      }
      for (const wrong of ["", "Basic ", "Bearer", "Bearer\t", "x Bearer "]) {
        assert.strictEqual(yield* status(`${wrong}${secrets.broker}`), 401)
      }
      assert.strictEqual(yield* status(`Bearer ${secrets.broker} x`), 401)
      assert.strictEqual(yield* status(`Bearer ${" ".repeat(10_000)}x x`), 401)
    })
  )

  it.effect("is another one for each broker, unless they are made of one", () =>
    Effect.gen(function* () {
      const { served } = yield* assertions("plain")
      const token = (secret?: string) =>
        Effect.map(
          make({
            flows: [served],
            ...(secret !== undefined && { secret: Redacted.make(secret) })
          }),
          ({ variables }) =>
            Redacted.value(variables("http://127.0.0.1:1")["FEDERATE_BROKER_TOKEN"]!)
        )
      const several = [yield* token(), yield* token(), yield* token("one"), yield* token("two")]
      assert.strictEqual(new Set(several).size, 4)
      assert.strictEqual(yield* token("one"), several[2])
      for (const each of several) assert.notInclude(each, "one")
    })
  )

  it.live.prop("is not guessed", [Schema.String], ([guess]) =>
    Effect.gen(function* () {
      const { ask } = yield* every
      const Authorization = Buffer.from(guess).toString("base64url")
      assert.strictEqual(
        (yield* ask("/aws/credentials", { headers: { Authorization } })).status,
        401
      )
    })
  )
})
