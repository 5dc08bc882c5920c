import { json, overloaded, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

const url = "https://host.example/token?secret=1"
const request = { url, method: "POST", headers: { "x-a": "b" }, body: "SECRET" } as const

const answering =
  (body: ConstructorParameters<typeof Response>[0], init?: ResponseInit): Fetch =>
  async () =>
    new Response(body, init)

const failing =
  (error: unknown): Fetch =>
  () =>
    Promise.reject(error)

const code = (name: string) => Object.assign(new Error("SECRET"), { code: name })

describe("send", () => {
  it.effect("sends what it is given, and follows no redirect", () =>
    Effect.gen(function* () {
      let sent: unknown
      const fetch: Fetch = async (to, { signal: _signal, ...init }) => {
        sent = { to, ...init }
        return new Response("{}")
      }
      yield* send(request, { fetch })
      assert.deepStrictEqual(sent, {
        to: url,
        method: "POST",
        headers: { "x-a": "b" },
        body: "SECRET",
        redirect: "manual"
      })
    })
  )

  it.effect("reads the answer whole, with its times", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000_000)
      const fetch = answering('{"a":1}', {
        status: 429,
        headers: {
          date: "Thu, 01 Jan 1970 01:00:00 GMT",
          "retry-after": "Thu, 01 Jan 1970 01:00:30 GMT"
        }
      })
      const answer = yield* send(request, { fetch })
      assert.strictEqual(answer.status, 429)
      assert.strictEqual(answer.sentAt, 1_000_000)
      assert.strictEqual(answer.serverTime, 3_600_000)
      // 30 s by the server's clock, counted from now by ours.
      assert.strictEqual(answer.retryAt, 1_030_000)
      assert.deepStrictEqual(json(answer), { a: 1 })
    })
  )

  it.effect("takes our clock where the server does not tell its own", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(5000)
      const answer = yield* send(request, { fetch: answering(null, { status: 204 }) })
      assert.strictEqual(answer.serverTime, 5000)
      assert.isUndefined(answer.retryAt)
      assert.strictEqual(answer.body.length, 0)
    })
  )

  it.effect("reads no more of a good answer than the limit", () =>
    Effect.gen(function* () {
      let pulled = 0
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          pulled++
          controller.enqueue(new Uint8Array(1000))
        }
      })
      const fault = yield* Effect.flip(
        send(request, { fetch: answering(endless), maximumSize: 10_000 })
      )
      assert.strictEqual(fault._tag, "Malformed")
      assert.include(
        fault._tag === "Malformed" ? fault.detail : "",
        "host.example answered 200 with more than 10000 bytes"
      )
      assert.isBelow(pulled, 20)
    })
  )

  it.effect("keeps the beginning of a bad one", () =>
    Effect.gen(function* () {
      const answer = yield* send(request, {
        fetch: answering("x".repeat(50), { status: 500 }),
        maximumSize: 10
      })
      assert.strictEqual(new TextDecoder().decode(answer.body), "x".repeat(10))
    })
  )

  for (const name of ["ECONNREFUSED", "ECONNRESET", "UND_ERR_SOCKET", "EAI_AGAIN", "ENOTFOUND"]) {
    it.effect(`is transient on ${name}, and tells the code alone`, () =>
      Effect.gen(function* () {
        const error = new TypeError("SECRET", { cause: code(name) })
        const fault = yield* Effect.flip(send(request, { fetch: failing(error) }))
        assert.deepInclude(fault, {
          _tag: "Transient",
          detail: `No answer from host.example (${name})`
        })
        assert.notInclude(JSON.stringify(fault), "SECRET")
      })
    )
  }

  it.effect("looks into an error for each of several addresses", () =>
    Effect.gen(function* () {
      const error = new TypeError("x", {
        cause: new AggregateError([code("ECONNREFUSED"), code("ETIMEDOUT")])
      })
      const fault = yield* Effect.flip(send(request, { fetch: failing(error) }))
      assert.deepInclude(fault, { detail: "No answer from host.example (ECONNREFUSED)" })
    })
  )

  it.effect("is transient on whatever else a fetch throws", () =>
    Effect.gen(function* () {
      for (const error of [
        undefined,
        null,
        "SECRET",
        new Error("SECRET"),
        { code: "secret lower case" }
      ]) {
        const fault = yield* Effect.flip(send(request, { fetch: failing(error) }))
        assert.deepInclude(fault, { _tag: "Transient", detail: "No answer from host.example" })
      }
    })
  )

  it.effect("says what to do about a certificate that is not trusted, and does not try again", () =>
    Effect.gen(function* () {
      const error = new TypeError("x", { cause: code("SELF_SIGNED_CERT_IN_CHAIN") })
      const fault = yield* Effect.flip(send(request, { fetch: failing(error) }))
      assert.deepInclude(fault, { _tag: "Misconfigured", setting: "NODE_EXTRA_CA_CERTS" })
    })
  )

  it.effect("is transient when the body is cut", () =>
    Effect.gen(function* () {
      const cut = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(code("ECONNRESET"))
      })
      const fault = yield* Effect.flip(send(request, { fetch: answering(cut) }))
      assert.deepInclude(fault, {
        _tag: "Transient",
        detail: "No answer from host.example (ECONNRESET)"
      })
    })
  )

  const hanging = () => {
    const state = { aborted: false }
    const fetch: Fetch = (_url, { signal }) =>
      new Promise((_resolve, reject) => {
        signal!.addEventListener("abort", () => {
          state.aborted = true
          reject(new Error("aborted"))
        })
      })
    return { state, fetch }
  }

  it.effect("gives up in time, and aborts the request", () =>
    Effect.gen(function* () {
      const { fetch, state } = hanging()
      const fiber = yield* Effect.forkChild(
        Effect.flip(send(request, { fetch, timeout: "3 seconds" }))
      )
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude(yield* Fiber.join(fiber), {
        _tag: "Transient",
        detail: "host.example did not answer in time"
      })
      assert.isTrue(state.aborted)
    })
  )

  it.effect("aborts the request on interruption", () =>
    Effect.gen(function* () {
      const { fetch, state } = hanging()
      const fiber = yield* Effect.forkChild(send(request, { fetch }))
      yield* TestClock.adjust(0)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(state.aborted)
    })
  )
})

const answer = (status: number, body = "", headers: Record<string, string> = {}): HttpAnswer => ({
  url,
  status,
  headers: new Headers(headers),
  body: new TextEncoder().encode(body),
  sentAt: 0,
  serverTime: 0,
  retryAt: status === 429 ? 5000 : undefined
})

describe("overloaded", () => {
  it("is what may pass by itself", () => {
    for (const status of [408, 500, 502, 503, 504]) {
      assert.deepInclude(overloaded(answer(status)), {
        detail: `host.example answered ${status}`,
        status
      })
    }
    assert.deepInclude(overloaded(answer(429)), { status: 429, retryAt: 5000 })
    for (const status of [200, 302, 400, 401, 403, 404, 410])
      assert.isUndefined(overloaded(answer(status)))
  })
})

describe("unexpected", () => {
  it("tells status, type and size, never the body", () => {
    const { detail } = unexpected(
      answer(200, "<html>SECRET", { "content-type": "text/html; charset=utf-8" })
    )
    assert.strictEqual(
      detail,
      "host.example answered 200 with 12 bytes of text/html, which is not what the protocol says"
    )
    assert.include(unexpected(answer(200)).detail, "0 bytes of no content type")
  })

  it("tells where a redirect wanted to go", () => {
    const { detail } = unexpected(
      answer(302, "", { location: "https://login.example/sign-in?token=SECRET" })
    )
    assert.strictEqual(
      detail,
      "host.example answered 302, a redirect to login.example; redirects are not followed"
    )
    assert.include(unexpected(answer(302)).detail, "answered 302")
  })
})

describe("json", () => {
  it("is a JSON object or nothing", () => {
    assert.deepStrictEqual(json(answer(200, ' {"a":[1]} ')), { a: [1] })
    for (const body of ["", "null", "[1]", '"a"', "1", '{"a":', "<html>"])
      assert.isUndefined(json(answer(200, body)))
    assert.isUndefined(json({ ...answer(200), body: new Uint8Array([0x22, 0xff, 0x22]) }))
  })
})
