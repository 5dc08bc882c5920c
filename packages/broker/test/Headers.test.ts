/** Who may ask at all, whatever is asked: what a request's headers give away. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { keys, serving, tokens } from "./serving.ts"
import type { Sent } from "./serving.ts"
import { say } from "./wire.ts"

const path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://x"

/** A broker whose every protocol would answer, and a question with these headers besides those that it needs. */
const broker = Effect.gen(function* () {
  const graph = yield* tokens("graph", { cloud: "azure" })
  const bucket = yield* keys("bucket")
  const heard = yield* serving([graph.served, bucket.served], {
    hosts: ["Broker.Internal:8080"]
  })
  const { host, port } = new URL(heard.origin)
  const bare = (headers: ReadonlyArray<string>): Sent => ({
    headers: ["Metadata", "true", ...headers]
  })
  const asking = (...headers: ReadonlyArray<string>) => heard.ask(path, bare(headers))
  return {
    ...heard,
    host,
    port,
    asking,
    plain: (...more: ReadonlyArray<string>) => asking("Host", host, ...more),
    upstream: graph.upstream
  }
})

describe("Host", () => {
  it.live("is this machine's, in any case, with the port that was asked", () =>
    Effect.gen(function* () {
      const { asking, port } = yield* broker
      for (const name of ["127.0.0.1", "localhost", "LocalHost", "[::1]"]) {
        assert.strictEqual((yield* asking("Host", `${name}:${port}`)).status, 200, name)
      }
    })
  )

  it.live("is one that is listed, in any case", () =>
    Effect.gen(function* () {
      const { asking } = yield* broker
      for (const name of ["broker.internal:8080", "BROKER.internal:8080"]) {
        assert.strictEqual((yield* asking("Host", name)).status, 200)
      }
    })
  )

  it.live("is nobody else's: a page that rebinds its name still sends it", () =>
    Effect.gen(function* () {
      const { asking, port, refused, upstream } = yield* broker
      const foreign = [
        "evil.example",
        `evil.example:${port}`,
        `127.0.0.1.evil.example:${port}`,
        `localhost.:${port}`,
        `localhost:${port}.evil.example`,
        `localhost:${port}@evil.example`,
        `evil.example@localhost:${port}`,
        "localhost",
        "127.0.0.1",
        "localhost:1",
        `127.0.0.2:${port}`,
        `0.0.0.0:${port}`,
        `[::]:${port}`,
        `2130706433:${port}`,
        "broker.internal",
        "broker.internal:80",
        `http://localhost:${port}`,
        ` , localhost:${port}`,
        "",
        "x".repeat(10_000)
      ]
      for (const host of foreign) {
        const { json, status } = yield* asking("Host", host)
        assert.strictEqual(status, 403, host)
        assert.match(String(json()["error_description"]), /Host header.*broker\.hosts/)
      }
      assert.isEmpty(upstream.asked)
      assert.strictEqual(refused.length, foreign.length)
      for (const each of refused) assert.notInclude(each.message, "evil")
    })
  )

  it.live("is there, and once", () =>
    Effect.gen(function* () {
      const { asking, host, origin } = yield* broker
      for (const headers of ["", "Metadata: true\r\n"]) {
        const none = yield* say(
          origin,
          `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`
        )
        assert.deepEqual(none.statuses, [403])
        const old = yield* say(origin, `GET ${path} HTTP/1.0\r\n${headers}\r\n`)
        assert.deepEqual(old.statuses, [403])
      }
      const twice = yield* asking("Host", host, "host", host)
      assert.strictEqual(twice.status, 400)
      assert.match(twice.text, /host is there twice/)
    })
  )

  it.live("is the address itself on IPv6", () =>
    Effect.gen(function* () {
      const { served } = yield* tokens("graph", { cloud: "azure" })
      const { origin } = yield* serving([served], {}, { host: "::1", port: 0 })
      const { port } = new URL(origin)
      for (const host of [`[::1]:${port}`, `localhost:${port}`, `127.0.0.1:${port}`]) {
        const { status } = yield* say(
          origin,
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\nConnection: close\r\n\r\n`
        ).pipe(Effect.map(({ statuses: [first] }) => ({ status: first })))
        assert.strictEqual(status, 200, host)
      }
      const unbracketed = yield* say(
        origin,
        `GET /livez HTTP/1.1\r\nHost: ::1:${port}\r\nConnection: close\r\n\r\n`
      )
      assert.deepEqual(unbracketed.statuses, [403])
    })
  )
})

describe("a web page", () => {
  it.live("is not answered, whatever site it is of", () =>
    Effect.gen(function* () {
      const { origin, plain, upstream } = yield* broker
      const pages = [
        ["Origin", "https://evil.example"],
        ["Origin", "null"],
        ["Origin", ""],
        ["Origin", origin],
        ["Sec-Fetch-Site", "cross-site"],
        ["Sec-Fetch-Site", "same-site"],
        ["Sec-Fetch-Site", "same-origin"],
        ["Sec-Fetch-Site", "none"],
        ["Sec-Fetch-Site", ""]
      ]
      for (const page of pages) {
        const got = yield* plain(...page)
        assert.strictEqual(got.status, 403, page.join(": "))
        assert.isUndefined(got.headers["access-control-allow-origin"])
      }
      assert.isEmpty(upstream.asked)
    })
  )

  it.live("is answered where it is the broker's own, or an address that was typed in", () =>
    Effect.gen(function* () {
      const { ask, host } = yield* broker
      const probe = (...more: ReadonlyArray<string>) =>
        Effect.map(ask("/livez", { headers: ["Host", host, ...more] }), ({ status }) => status)
      assert.strictEqual(yield* probe("Sec-Fetch-Site", "none"), 200)
      assert.strictEqual(yield* probe("Sec-Fetch-Site", "same-origin"), 200)
      for (const site of ["cross-site", "same-site", "None", ""]) {
        assert.strictEqual(yield* probe("Sec-Fetch-Site", site), 403)
      }
      assert.strictEqual(yield* probe("Sec-Fetch-Site", "same-origin", "Origin", "null"), 403)
    })
  )

  it.live("gets no leave to send headers of its own", () =>
    Effect.gen(function* () {
      const { ask, host } = yield* broker
      const got = yield* ask(path, {
        method: "OPTIONS",
        headers: [
          "Host",
          host,
          "Origin",
          "https://evil.example",
          "Access-Control-Request-Method",
          "GET",
          "Access-Control-Request-Headers",
          "metadata"
        ]
      })
      assert.strictEqual(got.status, 403)
      assert.isEmpty(Object.keys(got.headers).filter((name) => name.startsWith("access-control")))
    })
  )
})

describe("what was passed on", () => {
  it.live("is not answered, by whatever header it shows", () =>
    Effect.gen(function* () {
      const { plain, upstream } = yield* broker
      for (const name of [
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-host",
        "X-FORWARDED-PROTO",
        "X-Forwarded-Anything"
      ]) {
        for (const value of ["127.0.0.1", ""]) {
          const got = yield* plain(name, value)
          assert.strictEqual(got.status, 403, name)
          assert.match(got.text, /forwarded by a proxy.*NO_PROXY/)
        }
      }
      assert.isEmpty(upstream.asked)
    })
  )

  it.live("shows, however many headers come before", () =>
    Effect.gen(function* () {
      const { host, origin } = yield* broker
      for (const last of ["X-Forwarded-For: 10.0.0.1", "Origin: https://evil.example"]) {
        const { statuses } = yield* say(
          origin,
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\nConnection: close\r\n${"a:\r\n".repeat(3000)}${last}\r\n\r\n`
        )
        assert.deepEqual(statuses, [403])
      }
    })
  )
})

describe("a protocol's header", () => {
  const cases = (variables: Record<string, string | undefined>) =>
    [
      [
        "/msi/token?api-version=2019-08-01&resource=https://x",
        "X-IDENTITY-HEADER",
        variables["IDENTITY_HEADER"]!
      ],
      [
        "/msi/token?api-version=2017-09-01&resource=https://x",
        "secret",
        variables["IDENTITY_HEADER"]!
      ],
      [path, "Metadata", "true"],
      ["/aws/credentials", "Authorization", variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]!]
    ] as const

  it.live("is there once: twice is refused, be it the right one", () =>
    Effect.gen(function* () {
      const { ask, host, variables } = yield* broker
      for (const [url, name, value] of cases(variables)) {
        const once = ["Host", host, name, value]
        assert.strictEqual((yield* ask(url, { headers: once })).status, 200, name)
        for (const other of [value, "x", ""]) {
          const got = yield* ask(url, { headers: [...once, name.toLowerCase(), other] })
          assert.strictEqual(got.status, 400, name)
          assert.match(got.text, /is there twice/)
          assert.notInclude(got.text, value.length > 10 ? value : "\0")
        }
      }
    })
  )

  it.live("is refused as wrong, a megabyte or a byte of it", () =>
    Effect.gen(function* () {
      const { host, origin, upstream, variables } = yield* broker
      for (const [url, name] of cases(variables)) {
        for (const [length, status] of [
          [1, /40[01]/],
          [10_000, /40[01]/],
          [100_000, /431/],
          [1_000_000, /431/]
        ] as const) {
          const { statuses } = yield* say(
            origin,
            `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${name}: ${"x".repeat(length)}\r\n\r\n`
          )
          // What is far too long may be cut off before the answer is read.
          if (length < 1_000_000 || statuses.length > 0) assert.match(statuses.join(), status)
        }
      }
      assert.isEmpty(upstream.asked)
    })
  )
})
