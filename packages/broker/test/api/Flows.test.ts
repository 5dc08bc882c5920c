import { assert, describe, it } from "@effect/vitest"
import { Misconfigured, RefreshPolicy, Rejected } from "@federate/core"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { assertions, keys, serving, tokens } from "../serving.ts"
import type { Sent } from "../serving.ts"

interface Told {
  readonly name: string
  readonly issues: string
  readonly cloud?: string
  readonly source?: string
  readonly exchanger?: string
  readonly state: string
  readonly remembered: number
  readonly requests: ReadonlyArray<Record<string, unknown>>
}

const flowsOf = Effect.fnUntraced(function* ({
  ask
}: {
  readonly ask: (path: string, sent?: Sent) => Effect.Effect<{ readonly json: () => object }>
}) {
  const got = yield* ask("/v1/flows")
  // What the test is about.
  return (got.json() as { readonly flows: ReadonlyArray<Told> }).flows
})

const refresh = RefreshPolicy.make({ freshPart: 0.5, jitter: 0, margin: "1 minute" })

describe("GET /v1/flows", () => {
  it.effect("tells each flow's hops, and that nobody has asked yet", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph", { cloud: "azure", exchanger: "entra" })
      const plain = yield* assertions("plain")
      assert.deepEqual(yield* flowsOf(yield* serving([graph.served, plain.served])), [
        {
          name: "graph",
          issues: "AccessToken",
          cloud: "azure",
          source: "issuer",
          exchanger: "entra",
          state: "idle",
          remembered: 0,
          requests: []
        },
        {
          name: "plain",
          issues: "Assertion",
          source: "issuer",
          state: "idle",
          remembered: 0,
          requests: []
        }
      ])
    })
  )

  it.effect("tells a credential's life from the fetch to its end", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-31T12:00:00Z"))
      const { served, upstream } = yield* tokens("graph", { refresh })
      const broker = yield* serving([served])
      const first = Effect.map(flowsOf(broker), ([flow]) => flow!)
      upstream.before = Effect.sleep("1 second")
      const fetching = yield* Effect.forkChild(served.flow.credential({ scopes: ["a"] }))
      yield* TestClock.adjust(0)
      assert.strictEqual((yield* first).state, "fetching")
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fetching)

      yield* served.flow.credential({ scopes: ["a"] })
      yield* TestClock.adjust("10 minutes")
      const fresh = yield* first
      assert.strictEqual(fresh.state, "fresh")
      assert.deepEqual(fresh.requests, [
        {
          scopes: ["a"],
          state: "fresh",
          obtainedAt: "2026-01-31T12:00:01Z",
          expiresAt: "2026-01-31T13:00:01Z",
          age: 600,
          softPoint: 1800,
          hardPoint: 3540,
          life: 3600,
          refreshIn: 1200,
          refreshing: false,
          hits: 1,
          succeeded: 1,
          failed: 0
        }
      ])

      yield* TestClock.adjust("25 minutes")
      const stale = yield* first
      assert.strictEqual(stale.state, "stale")
      assert.strictEqual(stale.requests[0]!["refreshIn"], 0)

      upstream.before = Effect.never
      yield* served.flow.credential({ scopes: ["a"] })
      assert.strictEqual((yield* first).requests[0]!["refreshing"], true)

      yield* TestClock.adjust("30 minutes")
      assert.strictEqual((yield* first).requests[0]!["refreshing"], false)
    })
  )

  it.effect("tells of what nobody asked for since its end", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("graph")
      yield* served.flow.credential()
      yield* TestClock.adjust("2 hours")
      const [flow] = yield* flowsOf(yield* serving([served]))
      assert.strictEqual(flow!.state, "expired")
    })
  )

  it.effect("tells why a flow fails, and when it is tried again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-31T12:00:00Z"))
      const { served, upstream } = yield* tokens("graph")
      const broker = yield* serving([served])
      upstream.before = Effect.fail(
        new Rejected({ code: "C", description: "No.", hint: "Do this.", remedy: "none" })
      )
      yield* Effect.exit(served.flow.credential())
      const [failing] = yield* flowsOf(broker)
      assert.deepInclude(failing, { state: "failing", remembered: 1 })
      assert.deepEqual(failing!.requests, [
        {
          state: "failing",
          refreshIn: 10,
          refreshing: false,
          error: {
            stage: "exchange",
            adapter: "party",
            reason: "Rejected",
            code: "C",
            description: "No.",
            hint: "Do this."
          },
          retryAt: "2026-01-31T12:00:10Z",
          hits: 0,
          succeeded: 0,
          failed: 1
        }
      ])

      upstream.before = Effect.fail(
        new Misconfigured({ setting: "clientId", problem: "is empty", hint: "Set it." })
      )
      yield* TestClock.adjust("10 seconds")
      yield* Effect.exit(served.flow.credential())
      const [misconfigured] = yield* flowsOf(broker)
      assert.deepInclude(misconfigured!.requests[0]!["error"], {
        reason: "Misconfigured",
        description: "clientId: is empty",
        hint: "Set it."
      })

      upstream.before = Effect.void
      yield* served.flow.credential()
      const [healed] = yield* flowsOf(broker)
      assert.strictEqual(healed!.state, "fresh")
      assert.notProperty(healed!.requests[0], "error")
    })
  )

  it.effect("stays short: the worst first, then what is asked most, and a hundred at most", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph")
      const asked = (scope: string) => Effect.exit(served.flow.credential({ scopes: [scope] }))
      yield* Effect.forEach(Array.from({ length: 150 }), (_, index) => asked(`s${index}`))
      yield* Effect.forEach(Array.from({ length: 9 }), () => asked("s140"))
      upstream.before = Effect.fail(
        new Rejected({
          code: "C",
          description: "x".repeat(1_000_000),
          hint: "y".repeat(1_000_000),
          remedy: "none"
        })
      )
      yield* asked("wrong")
      const [flow] = yield* flowsOf(yield* serving([served]))
      assert.strictEqual(flow!.state, "failing")
      assert.strictEqual(flow!.remembered, 151)
      assert.strictEqual(flow!.requests.length, 100)
      assert.deepEqual(
        flow!.requests.slice(0, 2).map(({ scopes }) => scopes),
        [["wrong"], ["s140"]]
      )
      assert.isBelow(JSON.stringify(flow).length, 100_000)
    })
  )

  it.effect("tells no secret, nor do the pages and the document", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const bucket = yield* keys("bucket")
      const plain = yield* assertions("plain")
      const { ask, variables } = yield* serving([graph.served, bucket.served, plain.served])
      yield* graph.served.flow.credential()
      yield* bucket.served.flow.credential()
      yield* plain.served.flow.credential()
      for (const path of ["/v1/flows", "/", "/docs", "/openapi.json"]) {
        const { status, text } = yield* ask(path)
        assert.strictEqual(status, 200)
        for (const secret of [
          "graph-1",
          "AKIA1",
          "secret-1",
          "session-1",
          "eyJ",
          variables["FEDERATE_BROKER_TOKEN"]!,
          variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]!
        ]) {
          assert.notInclude(text, secret)
        }
      }
    })
  )

  it.effect("answers the broker's own page, and no other", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving([(yield* tokens("graph")).served])
      const from = (headers: Record<string, string>) =>
        Effect.map(ask("/v1/flows", { headers }), ({ status }) => status)
      assert.strictEqual(yield* from({ "Sec-Fetch-Site": "same-origin" }), 200)
      assert.strictEqual(yield* from({ "Sec-Fetch-Site": "cross-site" }), 403)
      assert.strictEqual(yield* from({ Origin: "http://evil.example" }), 403)
      assert.strictEqual(yield* from({ Host: "evil.example" }), 403)
    })
  )
})
