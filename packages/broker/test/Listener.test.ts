import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { assertions, hearing, keys, serving, tokens } from "./serving.ts"
import { say, talk } from "./wire.ts"

const resource = "resource=https://graph.microsoft.com"
const imdsPath = `/metadata/identity/oauth2/token?api-version=2018-02-01&${resource}`
const metadata = { headers: { Metadata: "true" } }

/** A broker over flows of every kind, and everything that its protocols want to be told. */
const every = Effect.gen(function* () {
  const graph = yield* tokens("graph", { cloud: "azure", client: "app" })
  const storage = yield* tokens("storage", { cloud: "google" })
  const bucket = yield* keys("bucket")
  const plain = yield* assertions("plain")
  const flows = [graph, storage, bucket, plain]
  const heard = yield* serving(flows.map(({ served }) => served))
  const { variables } = heard
  const session = yield* heard.ask("/latest/api/token", {
    method: "PUT",
    headers: { "X-aws-ec2-metadata-token-ttl-seconds": "60" }
  })
  heard.handed.length = 0
  const headers = {
    Metadata: "true",
    "Metadata-Flavor": "Google",
    "X-IDENTITY-HEADER": variables["IDENTITY_HEADER"]!,
    "X-aws-ec2-metadata-token": session.text
  }
  return { ...heard, flows, graph, headers, bearer: `Bearer ${variables["FEDERATE_BROKER_TOKEN"]}` }
})

const routes = [
  `/msi/token?api-version=2019-08-01&${resource}`,
  imdsPath,
  "/computeMetadata/v1/instance/service-accounts/default/token",
  "/computeMetadata/v1/instance/service-accounts/default/identity?audience=a",
  "/computeMetadata/v1/instance/",
  "/latest/meta-data/iam/security-credentials/bucket",
  "/livez",
  "/readyz",
  "/readyz/graph",
  "/metrics"
]

describe("methods", () => {
  it.live("are the route's alone; others are told which", () =>
    Effect.gen(function* () {
      const { ask, flows, headers } = yield* every
      for (const path of routes) {
        for (const method of [
          "HEAD",
          "OPTIONS",
          "POST",
          "PUT",
          "DELETE",
          "PATCH",
          "TRACE",
          "PROPFIND"
        ]) {
          const got = yield* ask(path, { method, headers })
          assert.strictEqual(got.status, 405, `${method} ${path}`)
          assert.strictEqual(got.headers["allow"], "GET")
          assert.isUndefined(got.headers["access-control-allow-methods"])
        }
      }
      for (const { upstream } of flows) assert.isEmpty(upstream.asked)
    })
  )

  it.live("take no body where none belongs", () =>
    Effect.gen(function* () {
      const { ask, flows, headers, origin } = yield* every
      const { host } = new URL(origin)
      for (const path of routes) {
        const got = yield* ask(path, { headers: { ...headers, "Content-Length": "2" }, body: "{}" })
        assert.strictEqual(got.status, 400, path)
        assert.include(got.text, "has a body")
        assert.strictEqual(
          (yield* ask(path, { headers: { ...headers, "Content-Length": "0" } })).status,
          200
        )
      }
      // A body that never comes is not waited for.
      const { statuses } = yield* say(
        origin,
        `GET /livez HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000\r\n\r\n`
      )
      assert.deepEqual(statuses, [400])
      assert.isTrue(flows.every(({ upstream }) => upstream.asked.length <= 1))
    })
  )
})

describe("paths", () => {
  it.live("are exact: whatever else is nowhere, and said to be by a problem", () =>
    Effect.gen(function* () {
      const { ask, flows, headers, origin } = yield* every
      const [path = ""] = imdsPath.split("?")
      const query = imdsPath.slice(path.length)
      const elsewhere = [
        "/nowhere",
        `/.${path}`,
        `/x/..${path}`,
        `/${path}`,
        `${path}//`,
        `${path}/x`,
        `${path}/.`,
        `${path};x`,
        `${path}%2f`,
        `${path}%00`,
        path.replace("token", "%74oken"),
        `/${path.slice(1).replaceAll("/", "%2f")}`,
        `/${path.slice(1).replaceAll("/", "\\")}`,
        path.slice(0, -1),
        `${origin}${path}`,
        `http://evil.example${path}`,
        `//evil.example${path}`,
        "*",
        "/MSI/token",
        "/Livez",
        "/computemetadata/v1/",
        "/readyz/nobody",
        "/aws/credentials/nobody",
        "/__proto__",
        "/constructor",
        `/${"x".repeat(10_000)}`
      ]
      for (const each of elsewhere) {
        for (const method of ["GET", "POST"]) {
          const got = yield* ask(`${each}${query}`, { method, headers })
          assert.strictEqual(got.status, 404, each)
          assert.strictEqual(got.headers["content-type"], "application/problem+json")
          const { detail, status, title, type } = got.json()
          assert.deepEqual([type, status, title], ["about:blank", 404, "Not Found"])
          assert.notInclude(String(detail), "evil")
        }
      }
      for (const { upstream } of flows) assert.isEmpty(upstream.asked)
    })
  )
})

const texts = Schema.Array(Schema.String).check(Schema.isMaxLength(4))

describe("any request", () => {
  it.live.prop(
    "is answered, below 500, by a body that is what it says it is",
    [
      Schema.Literals([...routes, "/aws/credentials", "/subject-token/plain", "/", "/msi", ""]),
      Schema.Literals(["GET", "GET", "GET", "PUT", "POST", "HEAD"]),
      texts,
      texts,
      Schema.Boolean
    ],
    ([route, method, names, values, encoded]) =>
      Effect.gen(function* () {
        const { ask, headers } = yield* every
        const written = (text: string) =>
          encoded
            ? encodeURIComponent(text.replace(/\p{Cs}/gu, ""))
            : Buffer.from(text)
                .toString("latin1")
                .replace(/[^\x21-\xff]|#/g, "")
        const query = names.map((name, at) => `${written(name)}=${written(values[at] ?? "")}`)
        const path = `${route}${written(values[0] ?? "")}${route.includes("?") ? "&" : "?"}${query.join("&")}`
        const more = Object.fromEntries(
          names.flatMap((name, at) => {
            const clean = name.replace(/[^\w-]/g, "")
            return clean === "" ||
              /^(connection|expect|upgrade|transfer-encoding|te|content-length)$/i.test(clean)
              ? []
              : [[clean, written(values[at] ?? "")]]
          })
        )
        const got = yield* ask(`/${path.replace(/^\/*/, "")}`, {
          method,
          headers: { ...more, ...headers }
        })
        assert.isBelow(got.status, 500)
        assert.isUndefined(got.headers["location"])
        if (method !== "HEAD" && got.headers["content-type"]?.includes("json") === true) {
          assert.isObject(got.json())
        }
      })
  )
})

describe("the audit", () => {
  it.live("has a line for each credential that was handed out, and for each refusal", () =>
    Effect.gen(function* () {
      const { ask, handed, headers, refused } = yield* every
      for (let count = 0; count < 3; count++) yield* ask(imdsPath, metadata)
      yield* ask("/computeMetadata/v1/instance/service-accounts/default/identity?audience=a", {
        headers
      })
      yield* ask(imdsPath)
      yield* ask("/livez")
      yield* ask("/nowhere")
      assert.deepEqual(
        handed.map(({ caller, flow, protocol, scope }) => [caller, protocol, flow, scope]),
        [
          ...Array.from({ length: 3 }, () => [
            "loopback",
            "azure-imds",
            "graph",
            "https://graph.microsoft.com/.default"
          ]),
          ["loopback", "gce-identity", "plain", "a"]
        ]
      )
      assert.match(handed[0]?.tokenHash ?? "", /^[0-9a-f]{64}$/)
      assert.deepEqual(
        refused.map(({ code, protocol, status }) => [protocol, status, code]),
        [
          ["azure-imds", 400, "invalid_request"],
          ["none", 404, "not_found"]
        ]
      )
    })
  )

  it.effect(
    "has none for who left before the answer, and the credential is there for the next",
    () =>
      Effect.gen(function* () {
        const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
        const { ask, handed, refused } = yield* hearing([served])
        upstream.before = Effect.sleep("500 millis")
        const leaving = yield* Effect.forkChild(ask(imdsPath, metadata), { startImmediately: true })
        const staying = yield* Effect.forkChild(ask(imdsPath, metadata), { startImmediately: true })
        yield* Effect.yieldNow
        yield* Fiber.interrupt(leaving)
        yield* TestClock.adjust("500 millis")
        assert.strictEqual((yield* Fiber.join(staying)).json()["access_token"], "graph-1")
        assert.strictEqual(handed.length, 1)
        assert.isEmpty(refused)
        assert.strictEqual(upstream.asked.length, 1)
      })
  )

  it.live("has none for requests that were queued on a connection that is gone", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
      const { handed, origin, refused } = yield* serving([served])
      const { host } = new URL(origin)
      const going = yield* Deferred.make<void>()
      upstream.before = Deferred.await(going)
      const one = `GET ${imdsPath} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\n\r\n`
      const client = yield* Effect.forkChild(say(origin, one.repeat(3)))
      while (upstream.asked.length === 0) yield* Effect.sleep("5 millis")
      yield* Fiber.interrupt(client)
      yield* Effect.sleep("50 millis")
      yield* Deferred.succeed(going, undefined)
      yield* Effect.sleep("50 millis")
      assert.isDefined(served.flow.entries.get("https://graph.microsoft.com/.default")?.credential)
      assert.isEmpty(handed)
      assert.isEmpty(refused)
    })
  )
})

describe("who waits", () => {
  it.live("is told to come back when the broker ends, and so is who comes later", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
      const { ask, broker, handed } = yield* hearing([served]).pipe(Scope.provide(scope))
      upstream.before = Effect.never
      const waiting = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 10 }, () => ask(imdsPath, metadata)),
          { concurrency: "unbounded" }
        ),
        { startImmediately: true }
      )
      yield* Scope.close(scope, Exit.void)
      const late = yield* ask(imdsPath, metadata)
      for (const got of [...(yield* Fiber.join(waiting)), late]) {
        assert.strictEqual(got.status, 503)
        assert.strictEqual(got.headers["retry-after"], "1")
        assert.strictEqual(got.json()["error"], "temporarily_unavailable")
      }
      yield* broker.idle
      assert.isEmpty(handed)
    })
  )

  it.effect("is one of 4,096 at most; more are told to come back, at once", () =>
    Effect.gen(function* () {
      const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
      const { ask, refused } = yield* hearing([served])
      const going = yield* Deferred.make<void>()
      upstream.before = Deferred.await(going)
      const crowd = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 4100 }, () => ask(imdsPath, metadata)),
          { concurrency: "unbounded" }
        ),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      assert.strictEqual(refused.length, 4)
      // What needs no waiting is still answered.
      assert.strictEqual((yield* ask("/livez")).status, 200)
      yield* Deferred.succeed(going, undefined)
      const statuses = (yield* Fiber.join(crowd)).map(({ status }) => status)
      assert.strictEqual(statuses.filter((status) => status === 200).length, 4096)
      assert.strictEqual(statuses.filter((status) => status === 503).length, 4)
      assert.strictEqual((yield* ask(imdsPath, metadata)).status, 200)
      assert.strictEqual(upstream.asked.length, 1)
    })
  )
})

describe("a form", () => {
  const post = (host: string, body: string, more = "") =>
    `POST /msi/cloud-shell/token HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\nConnection: close\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`

  it.live("is 64 KiB at most", () =>
    Effect.gen(function* () {
      const { ask, graph } = yield* every
      const headers = { Metadata: "true", "Content-Type": "application/x-www-form-urlencoded" }
      const form = (size: number) =>
        ask("/msi/cloud-shell/token", {
          method: "POST",
          headers,
          body: `${resource}&${"x=&".repeat(size)}`.slice(0, size)
        })
      const whole = yield* form(64 * 1024)
      assert.strictEqual(whole.status, 400)
      assert.include(whole.text, "there twice")
      const over = yield* form(64 * 1024 + 1)
      assert.strictEqual(over.status, 413)
      assert.include(over.text, "over 65536 bytes")
      assert.isEmpty(graph.upstream.asked)
    })
  )

  it.live("that is cut off is nobody's", () =>
    Effect.gen(function* () {
      const { graph, handed, origin } = yield* every
      const { host } = new URL(origin)
      const client = yield* Effect.forkChild(
        talk(origin, (send) => send(post(host, resource).slice(0, -5)))
      )
      yield* Effect.sleep("50 millis")
      yield* Fiber.interrupt(client)
      yield* Effect.sleep("50 millis")
      assert.isEmpty(graph.upstream.asked)
      assert.isEmpty(handed)
      const whole = yield* say(origin, post(host, resource))
      assert.deepEqual(whole.statuses, [200])
    })
  )
})
