/** What comes over a connection that is no proper request, or never becomes one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { serving, tokens } from "./serving.ts"
import { say, talk } from "./wire.ts"

const broker = Effect.gen(function* () {
  const { served, upstream } = yield* tokens("graph", { cloud: "azure" })
  const heard = yield* serving([served])
  return { ...heard, upstream, host: new URL(heard.origin).host }
})

/** What must never be answered where it hides in another request. */
const hidden = (host: string) => `GET /livez HTTP/1.1\r\nHost: ${host}\r\nX: y\r\n\r\n`

const post = (host: string, ...headers: ReadonlyArray<string>) =>
  [
    "POST /msi/cloud-shell/token HTTP/1.1",
    `Host: ${host}`,
    "Metadata: true",
    "Content-Type: application/x-www-form-urlencoded",
    ...headers,
    "",
    ""
  ].join("\r\n")

const get = (host: string, ...headers: ReadonlyArray<string>) =>
  ["GET /livez HTTP/1.1", `Host: ${host}`, ...headers, "", ""].join("\r\n")

const body = "resource=https://x"
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
const length = `Content-Length: ${body.length}`
const te = "Transfer-Encoding: chunked"

type Shape = readonly [name: string, bytes: (host: string) => string]

const shapes: ReadonlyArray<Shape> = [
  ["a length and chunks", (host) => post(host, length, te) + chunked],
  ["chunks and a length", (host) => post(host, te, "Content-Length: 4") + chunked],
  ["two lengths", (host) => post(host, length, "Content-Length: 0") + body],
  ["the same length twice", (host) => post(host, length, length) + body],
  ["a list of lengths", (host) => post(host, `${length}, ${body.length}`) + body],
  ["a negative length", (host) => post(host, "Content-Length: -1") + body],
  ["a length with a plus", (host) => post(host, `Content-Length: +${body.length}`) + body],
  ["a length in hexadecimal", (host) => post(host, "Content-Length: 0x12") + body],
  ["a length with a blank", (host) => post(host, "Content-Length: 1 8") + body],
  [
    "a length beyond every number",
    (host) => post(host, `Content-Length: ${"9".repeat(30)}`) + body
  ],
  ["no length at all", (host) => post(host, "Content-Length:") + body],
  [
    "a coding that is nearly chunked",
    (host) => post(host, "Transfer-Encoding: xchunked") + chunked
  ],
  [
    "chunked that is not last",
    (host) => post(host, "Transfer-Encoding: chunked, identity") + chunked
  ],
  ["a coding hidden by a tab", (host) => post(host, "Transfer-Encoding:\u000bchunked") + chunked],
  ["a blank before the colon", (host) => post(host, "Transfer-Encoding : chunked") + chunked],
  [
    "a blank before the length's colon",
    (host) => post(host, `Content-Length : ${body.length}`) + body
  ],
  ["a folded header", (host) => get(host, "X: y", " z: w")],
  ["a folded coding", (host) => post(host, "Transfer-Encoding:", " chunked") + chunked],
  ["a header that begins with a blank", (host) => get(host, " X: y")],
  ["a header without a colon", (host) => get(host, "X")],
  ["a header without a name", (host) => get(host, ": y")],
  ["a name that is none", (host) => get(host, "X(): y")],
  ["NUL in a value", (host) => get(host, "X: \0")],
  ["NUL in a name", (host) => get(host, "X\0: y")],
  ["NUL in the target", (host) => get(host).replace("/livez", "/livez\0")],
  ["a bare CR in a value", (host) => get(host, "X: y\rZ: w")],
  ["bare LF between headers", (host) => get(host, "X: y").replaceAll("\r\n", "\n")],
  ["a bare LF in a header", (host) => get(host, `X: y\n${te}`)],
  ["a blank in the target", (host) => get(host).replace("/livez", "/livez /x")],
  ["a target that does not begin with a slash", (host) => get(host).replace("/livez", "livez")],
  [
    "a target with an encoded slash at its beginning",
    (host) => get(host).replace("/livez", "%2flivez")
  ],
  ["a version that is none", (host) => get(host).replace("HTTP/1.1", "HTTP/9.9")],
  ["HTTP/2 all at once", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a method that is none", (host) => get(host).replace("GET", "G E T")],
  ["a method in lower case", (host) => get(host).replace("GET", "get")],
  ["a TLS greeting", () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["a chunk of a negative size", (host) => `${post(host, te)}-1\r\n${body}\r\n0\r\n\r\n`],
  ["a chunk of a size with a prefix", (host) => `${post(host, te)}0x12\r\n${body}\r\n0\r\n\r\n`],
  ["a chunk beyond every size", (host) => `${post(host, te)}${"f".repeat(20)}\r\n${body}`],
  ["a chunk that is longer than it says", (host) => `${post(host, te)}1\r\n${body}\r\n0\r\n\r\n`],
  ["a chunk that ends by a bare LF", (host) => `${post(host, te)}12\n${body}\n0\n\n`],
  [
    "a chunk's endless extension",
    (host) => `${post(host, te)}12;${"x".repeat(40_000)}\r\n${body}\r\n0\r\n\r\n`
  ],
  ["a query of 100 kB", (host) => get(host).replace("/livez", `/livez?${"x".repeat(100_000)}`)],
  [
    "headers of 100 kB",
    (host) => get(host, ...Array.from({ length: 1000 }, () => `X: ${"y".repeat(100)}`))
  ]
]

describe("what is no proper request", () => {
  for (const [name, bytes] of shapes) {
    it.live(`gets one refusal, and the connection is closed: ${name}`, () =>
      Effect.gen(function* () {
        const { handed, host, origin, upstream } = yield* broker
        const { statuses, text } = yield* say(origin, bytes(host) + hidden(host))
        assert.isAtMost(statuses.length, 1, text)
        for (const status of statuses) assert.include([400, 413, 431, 501], status, text)
        assert.notInclude(text, '"alive"')
        assert.isEmpty(upstream.asked)
        assert.isEmpty(handed)
        // It poisons nobody else's.
        const next = yield* say(origin, get(host, "Connection: close"))
        assert.deepEqual(next.statuses, [200])
      })
    )
  }

  it.live("is the last on its connection: what came before it gets its answer or none", () =>
    Effect.gen(function* () {
      const { host, origin } = yield* broker
      const { statuses, text } = yield* say(
        origin,
        `${get(host)}${get(host)}nonsense\r\n\r\n${hidden(host)}`
      )
      assert.strictEqual(statuses.at(-1), 400)
      assert.isAtMost([...text.matchAll(/"alive"/g)].length, 2)
      assert.isAtMost(statuses.length, 3)
    })
  )

  it.live(
    "takes its connection with it, and who waits there gets nothing, which the audit knows",
    () =>
      Effect.gen(function* () {
        const { handed, host, origin, upstream } = yield* broker
        upstream.before = Effect.sleep("100 millis")
        const { statuses, text } = yield* say(
          origin,
          `${post(host, length)}${body}nonsense\r\n\r\n${hidden(host)}`
        )
        assert.deepEqual(statuses, [400])
        assert.notInclude(text, "access_token")
        yield* Effect.sleep("200 millis")
        assert.isEmpty(handed)
      })
  )
})

describe("what is a proper request, if an odd one", () => {
  const odd: ReadonlyArray<Shape> = [
    ["chunks", (host) => post(host, te) + chunked],
    ["chunks with an extension", (host) => post(host, te) + chunked.replace("12", "12;a=b")],
    [
      "chunks with a trailer",
      (host) => post(host, te) + chunked.replace(/\r\n$/, "X-Forwarded-For: x\r\n\r\n")
    ],
    ["blank lines before it", (host) => `\r\n\r\n${post(host, length)}${body}`],
    [
      "a length with zeros before it",
      (host) => `${post(host, `Content-Length: 000${body.length}`)}${body}`
    ]
  ]
  for (const [name, bytes] of odd) {
    it.live(`is answered once, and so is the next: ${name}`, () =>
      Effect.gen(function* () {
        const { handed, host, origin } = yield* broker
        const { statuses } = yield* say(origin, bytes(host) + get(host, "Connection: close"))
        assert.deepEqual(statuses, [200, 200])
        assert.strictEqual(handed.length, 1)
      })
    )
  }

  it.live("is answered in turn where many come at once", () =>
    Effect.gen(function* () {
      const { handed, host, origin } = yield* broker
      const asked = Array.from({ length: 200 }, (_, at) =>
        at % 2 === 0 ? get(host) : post(host, length) + body
      )
      const { statuses, text } = yield* say(origin, asked.join("") + get(host, "Connection: close"))
      assert.deepEqual(new Set(statuses), new Set([200]))
      assert.strictEqual(statuses.length, 201)
      const kinds = [...text.matchAll(/"alive"|"access_token"/g)].map(([kind]) => kind)
      assert.deepEqual(
        kinds,
        Array.from({ length: 201 }, (_, at) => (at % 2 === 0 ? '"alive"' : '"access_token"'))
      )
      assert.strictEqual(handed.length, 100)
    })
  )

  it.live("expects nothing else of the broker, and upgrades to nothing", () =>
    Effect.gen(function* () {
      const { host, origin } = yield* broker
      const expecting = yield* say(origin, get(host, "Expect: a miracle", "Connection: close"))
      assert.deepEqual(expecting.statuses, [417])
      const upgrading = yield* say(
        origin,
        get(host, "Connection: Upgrade, close", "Upgrade: websocket")
      )
      assert.deepEqual(upgrading.statuses, [200])
      const connecting = yield* say(
        origin,
        `CONNECT evil.example:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n`
      )
      assert.isEmpty(connecting.statuses.filter((status) => status < 400))
    })
  )
})

describe("who is slow", () => {
  /** Sends a byte now and then, for ever. */
  const dripping = (origin: string, start: string) =>
    Effect.gen(function* () {
      const began = performance.now()
      const heard = yield* talk(origin, (send) => {
        send(start)
        const timer = setInterval(() => send("x"), 200)
        return () => clearInterval(timer)
      })
      return { ...heard, took: performance.now() - began }
    })

  // The limits are seconds of real sockets, and all of them pass at once.
  it.live(
    "is hung up on: headers and bodies that drip, and connections that say nothing",
    () =>
      Effect.gen(function* () {
        const { handed, host, origin, upstream } = yield* broker
        const slow = {
          headers: dripping(origin, `GET /livez HTTP/1.1\r\nHost: ${host}\r\nX: `),
          line: dripping(origin, "GET /"),
          body: dripping(origin, `${post(host, "Content-Length: 1000")}resource=`),
          chunks: dripping(origin, `${post(host, te)}fff\r\nresource=`)
        }
        const silent = talk(origin, () => {})
        const idle = talk(origin, (send) => send(get(host)))
        const dripped = yield* Effect.forkChild(Effect.all(slow, { concurrency: "unbounded" }))
        const quiet = yield* Effect.forkChild(
          Effect.all([silent, idle], { concurrency: "unbounded" })
        )
        // Meanwhile others are served.
        for (let count = 0; count < 20; count++) {
          const got = yield* say(origin, get(host, "Connection: close"))
          assert.deepEqual(got.statuses, [200])
        }
        const { body: ofBody, chunks, headers, line } = yield* Fiber.join(dripped)
        const [nothing, kept] = yield* Fiber.join(quiet)
        for (const { statuses, took } of [headers, line]) {
          assert.deepEqual(statuses, [408])
          assert.isBelow(took, 8000)
        }
        for (const { statuses, took } of [ofBody, chunks]) {
          assert.deepEqual(statuses, [400])
          assert.isBelow(took, 8000)
        }
        assert.deepEqual(nothing.statuses, [408])
        assert.deepEqual(kept.statuses, [200])
        assert.isEmpty(upstream.asked)
        assert.isEmpty(handed)
      }),
    20_000
  )
})
