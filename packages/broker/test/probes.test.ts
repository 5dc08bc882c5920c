import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { listen } from "@federate/broker"
import { Rejected } from "@federate/core"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ask as send, hearing, keys, serving, tokens } from "./serving.ts"

const refused = Effect.fail(
  new Rejected({ code: "no", description: "Not you", hint: "Do this.", remedy: "none" })
)

describe("/livez", () => {
  it.effect("is alive, whatever the flows are", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph")
      upstream.before = refused
      for (const flows of [[], [served]]) {
        const got = yield* (yield* hearing(flows)).ask("/livez")
        assert.deepEqual([got.status, got.json()], [200, { alive: true }])
      }
      assert.isEmpty(upstream.asked)
    })
  )
})

describe("/readyz", () => {
  it.effect("is never ready without a flow", () =>
    Effect.gen(function* () {
      const { ask } = yield* hearing([])
      const got = yield* ask("/readyz")
      assert.deepEqual([got.status, got.json()], [503, { ready: false, flows: {} }])
      assert.strictEqual(got.headers["retry-after"], "1")
    })
  )

  it.effect("is ready when each flow has produced once, and asks those that have not", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const bucket = yield* keys("bucket")
      const { ask } = yield* hearing([graph.served, bucket.served])
      bucket.upstream.before = refused
      for (let count = 0; count < 2; count++) {
        const { headers, json, status } = yield* ask("/readyz")
        assert.strictEqual(status, 503)
        assert.strictEqual(headers["retry-after"], "1")
        const { flows, ready } = json() as { ready: boolean; flows: Record<string, object> } // as documented
        assert.isFalse(ready)
        assert.deepEqual(flows["graph"], { ready: true })
        assert.match(JSON.stringify(flows["bucket"]), /"ready":false,"error":".*Not you.*Do this/)
      }
      // The flow asks nobody for a while who has said no.
      bucket.upstream.before = Effect.void
      yield* TestClock.adjust("1 minute")
      const got = yield* ask("/readyz")
      assert.deepEqual(
        [got.status, got.json()],
        [200, { ready: true, flows: { graph: { ready: true }, bucket: { ready: true } } }]
      )
      assert.lengthOf(graph.upstream.asked, 1)
    })
  )

  it.effect("stays ready when a flow fails later", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph")
      const { ask } = yield* hearing([served])
      assert.strictEqual((yield* ask("/readyz")).status, 200)
      upstream.before = refused
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* ask("/readyz")).status, 200)
      assert.lengthOf(upstream.asked, 1)
    })
  )

  it.effect("answers within the broker's patience", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph")
      const { ask } = yield* hearing([served])
      upstream.before = Effect.never
      const asking = yield* Effect.forkChild(ask("/readyz"))
      yield* TestClock.adjust("900 millis")
      const got = yield* Fiber.join(asking)
      assert.deepEqual(
        [got.status, got.json()],
        [503, { ready: false, flows: { graph: { ready: false } } }]
      )
    })
  )

  it.effect("of one flow is below its name, and knows no other", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const other = yield* tokens("__proto__")
      const { ask } = yield* hearing([graph.served, other.served])
      other.upstream.before = refused
      const got = yield* ask("/readyz/graph")
      assert.deepEqual(
        [got.status, got.json()],
        [200, { ready: true, flows: { graph: { ready: true } } }]
      )
      assert.isEmpty(other.upstream.asked)
      const failing = yield* ask("/readyz/__proto__")
      assert.strictEqual(failing.status, 503)
      assert.include(failing.text, '"__proto__":{"ready":false,"error"')
      assert.strictEqual((yield* ask("/readyz/nobody")).status, 404)
    })
  )
})

describe("a socket", () => {
  it.live("tells of its own flows alone, and loopback of all", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const bucket = yield* keys("bucket")
      bucket.upstream.before = refused
      const path = join(tmpdir(), `federate-probes-${process.pid}.sock`)
      const { ask, broker } = yield* serving([graph.served, bucket.served], {
        sockets: { reports: { path, flows: ["graph"] } }
      })
      const origin = yield* listen(broker.sockets[0]!.listener, { path })
      const own = yield* send(origin, "/readyz")
      assert.deepEqual(own.json(), { ready: true, flows: { graph: { ready: true } } })
      assert.strictEqual((yield* send(origin, "/readyz/bucket")).status, 404)
      assert.strictEqual((yield* send(origin, "/metrics")).status, 404)
      assert.isEmpty(bucket.upstream.asked)
      const all = yield* ask("/readyz")
      assert.strictEqual(all.status, 503)
      assert.include(all.text, "bucket")
      assert.strictEqual((yield* ask("/metrics")).status, 200)
    })
  )
})
