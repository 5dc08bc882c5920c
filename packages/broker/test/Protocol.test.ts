/** Waiting for a flow: what callers get while its upstream is down, slow, or busy with others. */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import {
  Malformed,
  Misconfigured,
  RefreshPolicy,
  Rejected,
  RetryPolicy,
  Transient
} from "@federate/core"
import type { Reason } from "@federate/core"
import { visible, watch } from "@federate/testing"
import { Clock, Effect, Fiber, Random, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { assertions, hearing, keys, serving, tokens } from "./serving.ts"
import type { Got } from "./serving.ts"

const imdsPath = (resource = "https://graph.microsoft.com") =>
  `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`
const metadata = { headers: { Metadata: "true" } }
const token = ({ json }: Got) => json()["access_token"]

/** As flows of a config file are refreshed when a broker serves them. */
const refresh = RefreshPolicy.make({ margin: "6 minutes", patience: "800 millis" })

/** Starts it, and lets it come as far as it can without time passing. */
const start = <A>(effect: Effect.Effect<A>) =>
  Effect.tap(Effect.forkChild(effect), () => TestClock.adjust(0))

const down = Effect.fail(new Transient({ detail: "It is down", status: 503 }))

const graph = Effect.gen(function* () {
  const flow = yield* tokens("graph", { cloud: "azure", refresh })
  return { ...flow, ...(yield* hearing([flow.served])) }
})

describe("a valid token in hand", () => {
  it.effect("is served while the upstream is down, to its last second, without a wait", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* graph
      const first = yield* ask(imdsPath(), metadata)
      upstream.before = down
      for (let minute = 1; minute < 60; minute++) {
        yield* TestClock.adjust("1 minute")
        const asking = yield* start(ask(imdsPath(), metadata))
        yield* TestClock.adjust("800 millis")
        const got = yield* Fiber.join(asking)
        assert.strictEqual(token(got), token(first), `minute ${minute}`)
        assert.approximately(Number(got.json()["expires_in"]), 3600 - minute * 60, 60)
      }
      assert.isAbove(upstream.asked.length, 2)
    })
  )

  it.effect("is served when the broker's patience ends, though its flow would wait longer", () =>
    Effect.gen(function* () {
      const patient = RefreshPolicy.make({ margin: "6 minutes", patience: "1 minute" })
      const { served, upstream } = yield* tokens("graph", { cloud: "azure", refresh: patient })
      const { ask } = yield* hearing([served])
      assert.strictEqual(token(yield* ask(imdsPath(), metadata)), "graph-1")
      yield* TestClock.adjust("56 minutes")
      upstream.before = Effect.sleep("2 seconds")
      const asking = yield* start(ask(imdsPath(), metadata))
      yield* TestClock.adjust("899 millis")
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(token(yield* Fiber.join(asking)), "graph-1")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(token(yield* ask(imdsPath(), metadata)), "graph-2")
    })
  )

  it.effect("is not served again to who was refused with it, fresh or past its soft point", () =>
    Effect.gen(function* () {
      const { ask, upstream } = yield* graph
      const but = (text: string) =>
        ask(
          `${imdsPath()}&token_sha256_to_refresh=${createHash("sha256").update(text).digest("hex")}`,
          metadata
        )
      assert.strictEqual(token(yield* ask(imdsPath(), metadata)), "graph-1")
      assert.strictEqual(token(yield* but("graph-1")), "graph-2")
      yield* TestClock.adjust("50 minutes")
      assert.strictEqual(token(yield* but("graph-2")), "graph-3")
      upstream.before = Effect.never
      const asking = yield* start(but("graph-3"))
      yield* TestClock.adjust("900 millis")
      assert.strictEqual((yield* Fiber.join(asking)).status, 503)
    })
  )
})

describe("no token yet", () => {
  it.effect("is 503 after 0.9 s, while the flight goes on for who asks next", () =>
    Effect.gen(function* () {
      const { ask, handed, upstream } = yield* graph
      upstream.before = Effect.sleep("5 seconds")
      const asking = yield* start(ask(imdsPath(), metadata))
      yield* TestClock.adjust("899 millis")
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const got = yield* Fiber.join(asking)
      assert.strictEqual(got.status, 503)
      assert.strictEqual(got.headers["retry-after"], "1")
      assert.strictEqual(got.json()["error"], "temporarily_unavailable")
      assert.match(
        String(got.json()["error_description"]),
        /has no credential yet; it is being fetched/
      )
      yield* TestClock.adjust("4100 millis")
      assert.strictEqual(token(yield* ask(imdsPath(), metadata)), "graph-1")
      assert.strictEqual(upstream.asked.length, 1)
      assert.strictEqual(handed.length, 1)
    })
  )

  const told: ReadonlyArray<readonly [Reason, number, string]> = [
    [new Transient({ detail: "It is down" }), 503, "It is down"],
    [new Malformed({ detail: "It says nothing" }), 503, "It says nothing"],
    [
      new Rejected({ code: "no", description: "No", hint: "Do this.", remedy: "none" }),
      400,
      "Do this."
    ],
    [new Misconfigured({ setting: "it", problem: "is wrong", hint: "Do that." }), 400, "Do that."]
  ]
  for (const [reason, status, text] of told) {
    it.effect(`is ${status} in each protocol's shape where the flow is ${reason._tag}`, () =>
      Effect.gen(function* () {
        const flows = [
          yield* tokens("graph", { cloud: "azure" }),
          yield* tokens("storage", { cloud: "google" }),
          yield* keys("bucket"),
          yield* assertions("plain")
        ]
        for (const { upstream } of flows) upstream.before = Effect.fail(reason)
        const { ask, broker, refused } = yield* hearing(flows.map(({ served }) => served))
        const variables = broker.variables("http://127.0.0.1:1")
        const google = { headers: { "Metadata-Flavor": "Google" } }
        const secret = (name: string) => Redacted.value(variables[name]!)
        const account = "/computeMetadata/v1/instance/service-accounts/default"
        const got = [
          yield* ask("/msi/token?api-version=2019-08-01&resource=https://x", {
            headers: { "X-IDENTITY-HEADER": secret("IDENTITY_HEADER") }
          }),
          yield* ask(imdsPath(), metadata),
          yield* ask(`${account}/token`, google),
          yield* ask(`${account}/identity?audience=a`, google),
          yield* ask("/aws/credentials", {
            headers: { Authorization: secret("AWS_CONTAINER_AUTHORIZATION_TOKEN") }
          }),
          yield* ask("/subject-token/plain?audience=b", {
            headers: { Authorization: `Bearer ${secret("FEDERATE_BROKER_TOKEN")}` }
          })
        ]
        for (const each of got) {
          assert.strictEqual(each.status, status)
          assert.include(each.text, text)
          assert.strictEqual(each.headers["retry-after"] !== undefined, status === 503)
        }
        assert.deepEqual(
          got.map(({ headers }) => headers["content-type"]),
          [
            "application/json",
            "application/json",
            "application/text",
            "application/text",
            "application/json",
            "application/problem+json"
          ]
        )
        assert.deepEqual(
          refused.map((each) => each.status),
          got.map(() => status)
        )
      })
    )
  }
})

describe("a thousand callers at once", () => {
  it.effect("make one call for each flow and scope, and get the same", () =>
    Effect.gen(function* () {
      const { ask, handed, upstream } = yield* graph
      upstream.before = Effect.sleep("300 millis")
      const resources = ["https://graph.microsoft.com", "https://vault.azure.net"]
      const asking = yield* start(
        Effect.all(
          Array.from({ length: 1000 }, (_, at) => ask(imdsPath(resources[at % 2]), metadata)),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("300 millis")
      const got = yield* Fiber.join(asking)
      assert.deepEqual(new Set(got.map(token)), new Set(["graph-1", "graph-2"]))
      assert.strictEqual(upstream.asked.length, 2)
      assert.strictEqual(handed.length, 1000)
    })
  )

  it.live("are served over connections of their own by one call", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
      const { ask } = yield* serving([served])
      upstream.before = Effect.sleep("100 millis")
      const got = yield* Effect.all(
        Array.from({ length: 1000 }, () => ask(imdsPath(), metadata)),
        { concurrency: "unbounded" }
      )
      assert.deepEqual(new Set(got.map(token)), new Set(["graph-1"]))
      assert.strictEqual(upstream.asked.length, 1)
    })
  )
})

describe("questions", () => {
  it.effect("more than are remembered are answered all the same", () =>
    Effect.gen(function* () {
      const { ask } = yield* graph
      for (let at = 0; at < 600; at++) {
        assert.strictEqual((yield* ask(`${imdsPath()}&x=${at}`, metadata)).status, 200)
      }
      const long = `${imdsPath()}&x=${"y".repeat(2000)}`
      assert.strictEqual(token(yield* ask(long, metadata)), "graph-1")
    })
  )
})

describe("an hour of short tokens", () => {
  /** Fails half of the time, in stretches of the pattern's parts: `true` is down, for so many seconds. */
  const Weather = Schema.Struct({
    seed: Schema.Int,
    life: Schema.Literals([60, 120, 300, 600]),
    /** How long each stretch is, in seconds. */
    stretch: Schema.Literals([1, 5, 20, 45]),
    slow: Schema.Literals([0, 0.1, 0.85, 2])
  })

  it.effect.prop(
    "of an upstream that fails half of the time shows no caller an error while a token is valid, and nobody waits over 0.9 s",
    [Weather],
    ([{ life, seed, slow, stretch }]) =>
      Effect.gen(function* () {
        const { served, upstream } = yield* tokens("graph", {
          cloud: "azure",
          life: life * 1000,
          refresh,
          retry: RetryPolicy.standard
        })
        const { ask, handed } = yield* hearing([served])
        upstream.before = Effect.gen(function* () {
          yield* Effect.sleep(slow * 1000)
          const now = yield* Clock.currentTimeMillis
          const part = Math.floor(now / 1000 / stretch)
          // Of two stretches, one: which one is as the seed says.
          if (((part + ((seed >>> (part % 31)) & 1)) & 1) === 1) return yield* down
        })
        let answered = 0
        for (let second = 0; second < 3600; second += 5) {
          const entry = served.flow.entries.get("https://graph.microsoft.com/.default")
          const began = yield* Clock.currentTimeMillis
          const { expiresAt = 0 } = entry?.credential ?? {}
          const asking = yield* start(ask(imdsPath(), metadata))
          if (asking.pollUnsafe() === undefined) {
            yield* TestClock.adjust("900 millis")
            assert.isDefined(asking.pollUnsafe(), "nobody waits longer")
          }
          const got = yield* Fiber.join(asking)
          const ended = yield* Clock.currentTimeMillis
          if (expiresAt > ended) assert.strictEqual(got.status, 200, `${second} s: ${got.text}`)
          if (got.status === 200) {
            answered++
            assert.isAtLeast(Number(got.json()["expires_on"]) * 1000, began - 999)
          } else {
            assert.strictEqual(got.status, 503)
            assert.match(String(got.headers["retry-after"]), /^[1-9]\d*$/)
          }
          yield* TestClock.setTime(second * 1000 + 5000)
        }
        assert.isAbove(answered, 300)
        assert.strictEqual(handed.length, answered)
      }).pipe(
        Effect.provideService(Random.Random, {
          nextDoubleUnsafe: () => 0.5,
          nextIntUnsafe: () => 0
        })
      ),
    { arbitrary: { runs: 15 }, timeout: 30_000 }
  )
})

describe("no token", () => {
  it.live("shows in a log, a span, an audit line or a metric", () =>
    Effect.gen(function* () {
      const { seen, within } = watch()
      yield* within(
        Effect.scoped(
          Effect.gen(function* () {
            const flows = [
              yield* tokens("graph", { cloud: "azure" }),
              yield* keys("bucket"),
              yield* assertions("plain")
            ]
            const heard = yield* hearing(flows.map(({ served }) => served))
            const { ask, broker, handed, refused } = heard
            const got = yield* ask(imdsPath(), metadata)
            assert.strictEqual(token(got), "graph-1")
            const gce = yield* ask(
              "/computeMetadata/v1/instance/service-accounts/default/identity?audience=a",
              { headers: { "Metadata-Flavor": "Google" } }
            )
            assert.strictEqual(gce.status, 200)
            const { text } = yield* ask("/metrics")
            const shown = [visible(handed), visible(refused), visible(broker), text, seen()]
            for (const secret of ["graph-1", gce.text, gce.text.split(".")[1]!]) {
              for (const each of shown) assert.notInclude(each, secret)
            }
          })
        )
      )
      assert.include(seen(), "federate.request")
    })
  )
})
