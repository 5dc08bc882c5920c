import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { listen } from "@federate/broker"
import { Rejected, Transient } from "@federate/core"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { assertions, ask, keys, serving, tokens } from "../serving.ts"
import type { Got } from "../serving.ts"

const every = Effect.gen(function* () {
  const graph = yield* tokens("graph", { cloud: "azure" })
  const bucket = yield* keys("bucket")
  const plain = yield* assertions("plain")
  const heard = yield* serving([graph.served, bucket.served, plain.served])
  const headers = { Authorization: `Bearer ${heard.variables["FEDERATE_BROKER_TOKEN"]}` }
  return {
    ...heard,
    headers,
    graph,
    bucket,
    plain,
    credential: (flowAndQuery: string) =>
      heard.ask(`/v1/flows/${flowAndQuery.replace(/\?|$/, "/credential$&")}`, { headers })
  }
})

const assertProblem = (got: Got, status: number, told: RegExp): void => {
  assert.strictEqual(got.status, status)
  assert.strictEqual(got.headers["content-type"], "application/problem+json")
  const problem = got.json()
  assert.strictEqual(problem["type"], "about:blank")
  assert.strictEqual(problem["status"], status)
  assert.match(String(problem["detail"]), told)
}

describe("GET /v1/flows/{flow}/credential", () => {
  it.effect("hands out a token for scopes, by spaces or one at a time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-31T12:00:00Z"))
      const { credential, graph } = yield* every
      const expected = {
        type: "access_token",
        access_token: "graph-1",
        token_type: "Bearer",
        expires_at: "2026-01-31T13:00:00Z",
        expires_in: 3600,
        scope: "a b c"
      }
      assert.deepEqual((yield* credential("graph?scope=a&scope=b%20c")).json(), expected)
      assert.deepEqual((yield* credential("graph?scope=a+b++c")).json(), expected)
      assert.deepEqual(graph.upstream.asked, [{ scopes: ["a", "b", "c"] }])
    })
  )

  it.effect("hands out the flow's own without a scope", () =>
    Effect.gen(function* () {
      const { credential, graph } = yield* every
      const { headers, json } = yield* credential("graph?scope=&audience=")
      assert.strictEqual(json()["access_token"], "graph-1")
      assert.strictEqual(headers["cache-control"], "no-store")
      assert.deepEqual(graph.upstream.asked, [{}])
    })
  )

  it.effect("hands out an assertion for an audience", () =>
    Effect.gen(function* () {
      const { credential, plain } = yield* every
      const { json } = yield* credential("plain?audience=https://whoever")
      assert.strictEqual(String(json()["access_token"]).split(".").length, 3)
      assert.strictEqual(json()["issued_token_type"], "urn:ietf:params:oauth:token-type:jwt")
      assert.deepEqual(plain.upstream.asked, [{ audience: "https://whoever" }])
    })
  )

  it.effect("hands out AWS credentials as a credential_process would", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-31T12:00:00Z"))
      const { credential } = yield* every
      assert.deepEqual((yield* credential("bucket")).json(), {
        type: "aws_credentials",
        Version: 1,
        AccessKeyId: "AKIA1",
        SecretAccessKey: "secret-1",
        SessionToken: "session-1",
        AccountId: "123456789012",
        Expiration: "2026-01-31T13:00:00Z"
      })
    })
  )

  it.effect("tells the audit what was handed out, the same thing each time", () =>
    Effect.gen(function* () {
      const { credential, handed } = yield* every
      yield* credential("graph?scope=a")
      yield* credential("graph?scope=a")
      assert.strictEqual(handed.length, 2)
      const [{ tokenHash, ...first }, second] = handed as [
        (typeof handed)[number],
        (typeof handed)[number]
      ]
      assert.deepInclude(first, { caller: "loopback", protocol: "api", flow: "graph", scope: "a" })
      assert.match(tokenHash, /^[0-9a-f]{64}$/)
      assert.deepEqual(second, { ...first, tokenHash })
    })
  )

  it.effect("asks for the broker's secret", () =>
    Effect.gen(function* () {
      const { ask: send, graph, refused } = yield* every
      for (const Authorization of [undefined, "Bearer guess", "Basic Zm9vOmJhcg==", "Bearer "]) {
        const got = yield* send("/v1/flows/graph/credential", {
          headers: Authorization === undefined ? {} : { Authorization }
        })
        assertProblem(got, 401, /FEDERATE_BROKER_TOKEN/)
        assert.strictEqual(got.headers["www-authenticate"], "Bearer")
      }
      assert.deepEqual(graph.upstream.asked, [])
      assert.strictEqual(refused.filter(({ protocol }) => protocol === "api").length, 4)
    })
  )

  it.effect("answers no web page, not even the broker's own", () =>
    Effect.gen(function* () {
      const { ask: send, variables } = yield* every
      const Authorization = `Bearer ${variables["FEDERATE_BROKER_TOKEN"]}`
      for (const site of ["same-origin", "none", "cross-site"]) {
        const got = yield* send("/v1/flows/graph/credential", {
          headers: { Authorization, "Sec-Fetch-Site": site }
        })
        assertProblem(got, 403, /web pages/)
      }
    })
  )

  it.effect("keeps the listener's guards", () =>
    Effect.gen(function* () {
      const { ask: send } = yield* every
      const path = "/v1/flows/graph/credential"
      assertProblem(yield* send(path, { headers: { Host: "evil.example" } }), 403, /Host/)
      assertProblem(yield* send(path, { headers: { "X-Forwarded-For": "1.2.3.4" } }), 403, /proxy/)
      assertProblem(
        yield* send(path, { headers: ["Authorization", "Bearer a", "Authorization", "Bearer b"] }),
        400,
        /twice/
      )
      const posted = yield* send(path, { method: "POST" })
      assertProblem(posted, 405, /GET/)
      assert.strictEqual(posted.headers["allow"], "GET")
    })
  )

  it.effect("lists the flows when there is none of that name", () =>
    Effect.gen(function* () {
      const { credential } = yield* every
      assertProblem(yield* credential("none"), 404, /"none".*graph, bucket, plain/)
      for (const hostile of ["__proto__", "constructor", "%e2%80%aex%0ay", "%00", "GRAPH"]) {
        const got = yield* credential(hostile)
        assertProblem(got, 404, /There is no flow/)
        assert.notMatch(String(got.json()["detail"]), /[\p{Cc}\p{Cf}]/u)
      }
    })
  )

  it.effect("says which parameter cannot be read", () =>
    Effect.gen(function* () {
      const { credential, graph } = yield* every
      for (const [query, told] of [
        ["scope=%0a", /scope/],
        ["scope=%22", /scope/],
        ["audience=a&audience=b", /audience/],
        ["audience=%00", /audience/],
        ["audience=%e2%80%aea", /audience/],
        ["audience=a%e2%80%a8b", /audience/],
        [`audience=${"a".repeat(2049)}`, /audience/]
      ] as const) {
        assertProblem(yield* credential(`graph?${query}`), 400, told)
      }
      assert.deepEqual(graph.upstream.asked, [])
    })
  )

  it.effect("finds a flow whatever its name is made of", () =>
    Effect.gen(function* () {
      const odd = yield* tokens("a/b c?<ü>")
      const { ask: send, variables } = yield* serving([odd.served])
      const got = yield* send(`/v1/flows/${encodeURIComponent("a/b c?<ü>")}/credential`, {
        headers: { Authorization: `Bearer ${variables["FEDERATE_BROKER_TOKEN"]}` }
      })
      assert.strictEqual(got.json()["access_token"], "a/b c?<ü>-1")
    })
  )

  it.effect("tells why the flow failed, and what to do, as members of the problem", () =>
    Effect.gen(function* () {
      const { credential, graph } = yield* every
      graph.upstream.before = Effect.fail(
        new Rejected({
          code: "AADSTS700213",
          description: "No matching record",
          hint: "Set the subject.",
          remedy: "none"
        })
      )
      const got = yield* credential("graph")
      assertProblem(got, 400, /AADSTS700213: No matching record\. Set the subject\./)
      assert.deepInclude(got.json(), {
        stage: "exchange",
        adapter: "party",
        reason: "Rejected",
        code: "AADSTS700213",
        description: "No matching record",
        hint: "Set the subject."
      })
    })
  )

  it.effect("says when to ask again after what may pass", () =>
    Effect.gen(function* () {
      const { credential, graph } = yield* every
      graph.upstream.before = Effect.fail(new Transient({ detail: "busy", retryAt: 7000 }))
      const got = yield* credential("graph")
      assertProblem(got, 503, /busy/)
      assert.strictEqual(got.json()["reason"], "Transient")
      assert.strictEqual(got.headers["retry-after"], "7")
    })
  )

  it.effect("says 503 when its patience ends, while the fetch goes on", () =>
    Effect.gen(function* () {
      const { credential, graph } = yield* every
      graph.upstream.before = Effect.sleep("3 seconds")
      const asking = yield* Effect.forkChild(credential("graph"))
      while (graph.upstream.asked.length === 0) yield* real
      yield* TestClock.adjust("900 millis")
      const got = yield* Fiber.join(asking)
      assertProblem(got, 503, /being fetched/)
      assert.strictEqual(got.headers["retry-after"], "1")
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* credential("graph")).json()["access_token"], "graph-1")
    })
  )
})

/** A moment of the real clock: for what comes over a socket. */
const real = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))

describe("a unix socket", () => {
  it.effect("serves its own flows without a secret, and knows no others", () =>
    Effect.gen(function* () {
      const graph = yield* tokens("graph")
      const bucket = yield* keys("bucket")
      const path = join(tmpdir(), `federate-api-${process.pid}.sock`)
      const { broker } = yield* serving([graph.served, bucket.served], {
        sockets: { reports: { path, flows: ["bucket"] } }
      })
      const origin = yield* listen(broker.sockets[0]!.listener, { path })
      const got = yield* ask(origin, "/v1/flows/bucket/credential")
      assert.strictEqual(got.json()["AccessKeyId"], "AKIA1")
      assertProblem(yield* ask(origin, "/v1/flows/graph/credential"), 404, /are bucket\./)
      const told = (yield* ask(origin, "/v1/flows")).json()["flows"] as ReadonlyArray<object>
      assert.strictEqual(told.length, 1)
      assert.deepInclude(told[0], { name: "bucket" })
    })
  )
})

describe("paths that are not there", () => {
  it.effect("are problems, below /v1 and beside it", () =>
    Effect.gen(function* () {
      const { ask: send, graph, headers } = yield* every
      for (const path of [
        "/v1",
        "/v1/",
        "/v1/flow",
        "/v1/flows/%zz/credential",
        "/v1/flows/a/b/c",
        "/v1/../openapi.json",
        "/v1/%2e%2e/openapi.json",
        "/v1/%2E./v1/flows",
        "/v1//flows",
        "/v1/flows//",
        "/v1/flows//graph/credential",
        "/v1/flows/../flows/graph/credential",
        "/v1/flows/./credential",
        "/v1/flows/graph/./credential",
        "/v1/flows/graph%2fcredential",
        "/v1/flows/graph/credential%2f",
        "/v1/flows/graph/credential//",
        "/v1/flows/graph/credential;x",
        "/v1/flows/graph;x/credential",
        "/v1/flows/graph/credential#x",
        "/v1/flows/graph/cr%65dential",
        "/v1/flows\\graph\\credential",
        "/v1/Flows",
        `/v1/flows/${"x".repeat(10_000)}/credential`
      ]) {
        const got = yield* send(path, { headers })
        assertProblem(got, 404, /openapi\.json/)
        assert.isBelow(got.text.length, 300)
      }
      assert.deepEqual(graph.upstream.asked, [])
      const slash = yield* send("/v1/flows/graph/credential/", { headers })
      assert.strictEqual(slash.json()["access_token"], "graph-1")
      assertProblem(yield* send("/v1x"), 404, /The page at \//)
    })
  )
})
