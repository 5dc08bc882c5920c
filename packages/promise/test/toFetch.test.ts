import { visible } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { afterEach, vi } from "vitest"
import { createFlow, fromFunction, toFetch } from "../src/index.ts"
import type { FetchOptions } from "../src/index.ts"
import { counting, failure, firstJourney, graphScope, jwt, running } from "./flow.ts"

const sandbox = running()

afterEach(() => vi.useRealTimers())

const api = "https://api.example"

interface Seen {
  readonly url: string
  readonly method: string
  readonly authorization: string | null
  readonly headers: Headers
  readonly body: string
}

type Answer = (seen: Seen, call: number) => Response

/** A server that is programmed, and what it was asked. */
const served = (answer: Answer, options: Partial<FetchOptions> = {}) => {
  const seen: Array<Seen> = []
  const { flow, made } = counting()
  const fetch = toFetch(flow, {
    origins: [api],
    fetch: async (url, init) => {
      const request = new Request(url, init)
      const { headers, method } = request
      const authorization = headers.get("authorization")
      seen.push({ url, method, authorization, headers, body: await request.text() })
      return answer(seen.at(-1)!, seen.length)
    },
    ...options
  })
  return { fetch, seen, made, flow }
}

const refused = (challenge?: string) =>
  new Response("refused", {
    status: 401,
    headers: challenge === undefined ? {} : { "www-authenticate": challenge }
  })

/** Refuses once. */
const once: Answer = (_, call) => (call === 1 ? refused() : new Response("done"))

describe("a request", () => {
  it("goes out with the token, and else as it was", async () => {
    const { fetch, flow, seen } = served(() => new Response("done"), { scopes: "read" })
    const response = await fetch(new URL(`${api}/a?b=c`), {
      method: "PUT",
      headers: { "content-type": "text/plain", authorization: "Basic none" },
      body: "text"
    })
    assert.strictEqual(await response.text(), "done")
    const { token = "" } = flow.current({ scopes: ["read"] }) ?? {}
    assert.deepInclude(seen[0], {
      url: `${api}/a?b=c`,
      method: "PUT",
      // A flow without an exchanger hands out its assertion, which is no access token (`N_A`).
      authorization: `Bearer ${token}`,
      body: "text"
    })
    assert.strictEqual(seen[0]?.headers.get("content-type"), "text/plain")
  })

  it("may be a Request, with changes", async () => {
    const { fetch, seen } = served(() => new Response("done"))
    const request = new Request(`${api}/a`, {
      method: "POST",
      body: "text",
      headers: { "x-own": "1" }
    })
    await fetch(request)
    assert.deepInclude(seen[0], { method: "POST", body: "text" })
    assert.strictEqual(seen[0]?.headers.get("x-own"), "1")
    await fetch(new Request(`${api}/b`), { method: "DELETE" })
    assert.deepInclude(seen[1], { url: `${api}/b`, method: "DELETE" })
  })

  it("to any other origin is refused, and no token asked for", async () => {
    const { fetch, made, seen } = served(() => new Response("done"))
    for (const url of [
      "https://other.example/",
      "http://api.example/",
      "https://api.example:8443/",
      "https://api.example.evil.example/",
      "https://api.example@evil.example/"
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { message, reason } = await failure(fetch(url))
      assert.deepInclude(reason, { type: "Misconfigured", setting: "origins" })
      assert.match(message, /^fetch: origins: http\S+ is not among them\. Name it there/)
    }
    assert.lengthOf(seen, 0)
    assert.strictEqual(made.count, 0)
  })

  it("is aborted by its signal, while the token is fetched, too", async () => {
    const flow = createFlow({ source: fromFunction("slow", () => new Promise<string>(() => {})) })
    const fetch = toFetch(flow, { origins: [api] })
    const controller = new AbortController()
    const call = fetch(api, { signal: controller.signal })
    const another = fetch(new Request(api, { signal: controller.signal }))
    const reason = new Error("no more")
    controller.abort(reason)
    assert.strictEqual(await call.catch((error: unknown) => error), reason)
    assert.strictEqual(await another.catch((error: unknown) => error), reason)
    await flow.close()
  })
})

describe("origins", () => {
  it.each([
    ["http://api.example", /is http to api\.example/],
    ["api.example", /is not an absolute URL/],
    ["https://api.example/v1", /is more than an origin\. Write scheme and host alone/],
    ["https://user:SECRET@api.example", /holds a user name or a password/]
  ])("%s is no place for a token", async (origin, problem) => {
    const { flow } = counting()
    const error = await failure(() => toFetch(flow, { origins: [origin] }))
    assert.match(error.message, problem)
    assert.notInclude(visible(error), "SECRET")
  })

  it("may be on this machine", async () => {
    const { fetch, seen } = served(() => new Response("done"), {
      origins: ["http://localhost:8080/"]
    })
    await fetch("http://localhost:8080/a")
    assert.lengthOf(seen, 1)
  })
})

describe("a 401", () => {
  it("is answered with another token, once", async () => {
    const { fetch, made, seen } = served(once)
    const response = await fetch(api)
    assert.strictEqual(await response.text(), "done")
    assert.strictEqual(new Set(seen.map(({ authorization }) => authorization)).size, 2)
    assert.strictEqual(made.count, 2)
    await fetch(api)
    assert.strictEqual(seen[2]?.authorization, seen[1]?.authorization)
  })

  it("that comes again is the answer", async () => {
    const { fetch, made, seen } = served(() => refused())
    const response = await fetch(api)
    assert.strictEqual(response.status, 401)
    assert.strictEqual(await response.text(), "refused")
    assert.lengthOf(seen, 2)
    assert.strictEqual(made.count, 2)
  })

  it("of a resource that refuses every token costs a token a minute", async () => {
    const { fetch, made, seen } = served(() => refused())
    vi.useFakeTimers({ toFake: ["Date"] })
    for (let call = 0; call < 10; call++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const response = await fetch(api)
      // oxlint-disable-next-line no-await-in-loop -- as above
      assert.strictEqual(await response.text(), "refused")
    }
    assert.strictEqual(made.count, 2)
    assert.lengthOf(seen, 11)
    vi.setSystemTime(Date.now() + 60_000)
    await fetch(api)
    assert.strictEqual(made.count, 3)
  })

  it("with claims is answered with a token that has them, however new the refused one is", async () => {
    const claims = `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
    const challenge = `Bearer error="insufficient_claims", claims="${btoa(claims)}"`
    const { fetch, flow, made } = served((_, call) =>
      call === 4 ? new Response("done") : refused(call < 3 ? undefined : challenge)
    )
    assert.strictEqual((await fetch(api)).status, 401)
    assert.strictEqual((await fetch(api)).status, 200)
    assert.strictEqual(made.count, 3)
    assert.strictEqual(flow.current({ claims }), flow.current({ scopes: [] }))
  })

  it("is handed on where there is no other token", async () => {
    const token = jwt("workload")
    const flow = createFlow({ source: fromFunction("file", () => token) })
    let calls = 0
    const fetch = toFetch(flow, { origins: [api], fetch: async () => (calls++, refused()) })
    assert.strictEqual(await (await fetch(api)).text(), "refused")
    assert.strictEqual(calls, 1)
  })

  it("becomes the flow's error where another token cannot be had", async () => {
    let first = true
    const flow = createFlow({
      retry: { attempts: 1 },
      source: fromFunction("once", () => {
        if (!first) throw new Error("gone")
        first = false
        return jwt("workload")
      })
    })
    const fetch = toFetch(flow, { origins: [api], fetch: async () => refused() })
    assert.strictEqual((await failure(fetch(api))).code, "Transient")
  })

  const form = new FormData()
  form.set("name", "value")
  it.each<[string, () => NonNullable<RequestInit["body"]>, RegExp]>([
    ["text", () => "text", /^text$/],
    ["bytes", () => new TextEncoder().encode("text"), /^text$/],
    ["buffer", () => new TextEncoder().encode("text").buffer, /^text$/],
    ["URLSearchParams", () => new URLSearchParams({ name: "value" }), /^name=value$/],
    ["Blob", () => new Blob(["text"]), /^text$/],
    ["FormData", () => form, /name="name"\r\n\r\nvalue/]
  ])("has a body sent again that is a %s", async (_, body, expected) => {
    const { fetch, seen } = served(once)
    const response = await fetch(api, { method: "POST", body: body() })
    assert.strictEqual(response.status, 200)
    assert.lengthOf(seen, 2)
    for (const each of seen) assert.match(each.body, expected)
  })

  it.each<[string, () => [string | Request, RequestInit?]]>([
    ["stream", () => [api, { method: "POST", body: new Blob(["text"]).stream(), duplex: "half" }]],
    ["Request's", () => [new Request(api, { method: "POST", body: "text" })]]
  ])(
    "is the answer where the body is a %s, and the next request has another token",
    async (_, input) => {
      const { fetch, seen } = served(once)
      const response = await fetch(...input())
      assert.strictEqual(await response.text(), "refused")
      assert.deepStrictEqual(
        seen.map(({ body }) => body),
        ["text"]
      )
      await fetch(api)
      assert.notStrictEqual(seen[1]?.authorization, seen[0]?.authorization)
    }
  )
})

describe("a redirect", () => {
  const to =
    (location: string, status = 302): Answer =>
    ({ url }) =>
      url.startsWith(`${api}/from`)
        ? new Response(null, { status, headers: { location } })
        : new Response("done")

  it("within the origin is followed with the token and all headers", async () => {
    const { fetch, seen } = served(to("/to"))
    const response = await fetch(`${api}/from`, { headers: { "x-own": "1" } })
    assert.strictEqual(await response.text(), "done")
    assert.strictEqual(seen[1]?.url, `${api}/to`)
    assert.strictEqual(seen[1]?.authorization, seen[0]?.authorization)
    assert.strictEqual(seen[1]?.headers.get("x-own"), "1")
  })

  it.each(["https://other.example/to", "//other.example/to", "http://api.example/to"])(
    "to %s never carries the token, nor what else may be secret",
    async (location) => {
      const { fetch, seen } = served(to(location))
      const headers = { "x-api-key": "SECRET", cookie: "SECRET", range: "bytes=0-9", accept: "a/b" }
      const response = await fetch(`${api}/from`, { headers })
      assert.strictEqual(await response.text(), "done")
      assert.strictEqual(seen[1]?.url, new URL(location, api).href)
      assert.deepStrictEqual(
        [...(seen[1]?.headers ?? [])],
        [
          ["accept", "a/b"],
          ["range", "bytes=0-9"]
        ]
      )
    }
  )

  it("is refused the token by a platform's fetch that follows the rest of the way", async () => {
    const { fetch, seen } = served(to("https://other.example/to"))
    await fetch(`${api}/from`)
    assert.deepStrictEqual(
      seen.map(({ authorization }) => authorization !== null),
      [true, false]
    )
  })

  it("of another method is handed back, as of who asks for it by himself", async () => {
    const { fetch, seen } = served(to("https://other.example/to", 307))
    const post = await fetch(`${api}/from`, { method: "POST", body: "text" })
    assert.deepStrictEqual(
      [post.status, post.headers.get("location")],
      [307, "https://other.example/to"]
    )
    const manual = await fetch(`${api}/from`, { redirect: "manual" })
    assert.strictEqual(manual.status, 307)
    assert.lengthOf(seen, 2)
  })

  it("is an error for who wants none", async () => {
    const { fetch } = served(to("/to"))
    const error: unknown = await fetch(`${api}/from`, { redirect: "error" }).catch(
      (reason: unknown) => reason
    )
    assert.instanceOf(error, TypeError)
  })

  it("is not followed for ever", async () => {
    const { fetch, seen } = served(to("/from"))
    const error: unknown = await fetch(`${api}/from`).catch((reason: unknown) => reason)
    assert.instanceOf(error, TypeError)
    assert.lengthOf(seen, 21)
  })

  it("without a place to go is an answer like any other", async () => {
    const { fetch } = served(() => new Response("none", { status: 300 }))
    assert.strictEqual(await (await fetch(api)).text(), "none")
  })
})

describe("against Microsoft Graph", () => {
  it("reads, and answers a challenge of continuous access evaluation", async () => {
    await using flow = firstJourney(sandbox(), { clientCapabilities: ["cp1"] })
    const fetch = toFetch(flow, { origins: [sandbox().https], scopes: graphScope })
    const read = async () => {
      const response = await fetch(`${sandbox().https}/v1.0/applications?$top=1`)
      assert.strictEqual(response.status, 200)
      return response.json()
    }
    const first = await read()
    const tokens = sandbox().count("entra.token")
    sandbox().revokeTokens()
    assert.deepStrictEqual(await read(), first)
    assert.deepStrictEqual(await read(), first)
    assert.strictEqual(sandbox().count("entra.token"), tokens + 1)
  })
})
