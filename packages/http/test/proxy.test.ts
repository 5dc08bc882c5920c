import { once } from "node:events"
import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { TLSSocket } from "node:tls"
import { platformFetch, send, tlsFetch } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { vi } from "vitest"
import * as Certificates from "../../sandbox/src/kernel/Certificates.ts"
import { proxyFor } from "../src/proxy.ts"
import { connectProxy } from "./connectProxy.ts"

const variables =
  (values: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    values[name]

const proxied = (url: string, values: Readonly<Record<string, string>>) =>
  Result.getOrThrow(proxyFor(new URL(url), variables(values)))?.url.host

describe("the proxy for a URL", () => {
  const proxies = { HTTPS_PROXY: "http://secure:1", HTTP_PROXY: "http://plain:2" }

  it("is named by the URL's scheme, in lower case first, with or without a scheme of its own", () => {
    assert.strictEqual(proxied("https://host/", proxies), "secure:1")
    assert.strictEqual(proxied("http://host/", proxies), "plain:2")
    assert.strictEqual(proxied("https://host/", { ...proxies, https_proxy: "other:3" }), "other:3")
    assert.isUndefined(proxied("https://host/", { HTTP_PROXY: "http://plain:2" }))
    assert.isUndefined(proxied("https://host/", {}))
  })

  it("is never asked for this machine, or for what its platform serves on its link", () => {
    for (const near of [
      "localhost",
      "a.localhost",
      "127.0.0.2",
      "[::1]",
      "169.254.169.254",
      "169.254.170.2",
      "[fd00:ec2::254]",
      "[fe80::1]",
      "168.63.129.16",
      "metadata.google.internal",
      "metadata.google.internal."
    ]) {
      assert.isUndefined(proxied(`https://${near}/`, proxies), near)
      assert.isUndefined(proxied(`http://${near}:8080/`, proxies), near)
    }
  })

  it.each([
    ["*", true],
    ["host.example", true],
    ["HOST.Example.", true],
    ["example", true],
    [".example", true],
    ["*.example", true],
    ["other, host.example", true],
    ["other host.example:443", true],
    ["host.example:8443", false],
    ["ost.example", false],
    ["*.host.example", false],
    ["sub.host.example", false],
    [".", false],
    ["", false],
    [",,", false],
    ["10.0.0.0/8", false]
  ])("NO_PROXY=%s excepts host.example: %s", (list, excepted) => {
    const host = proxied("https://host.example/", { ...proxies, NO_PROXY: list })
    assert.strictEqual(host, excepted ? undefined : "secure:1")
  })

  it.each([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "10.1.2.3:444", false],
    ["10.1.2.3", "11.0.0.0/8", false],
    ["10.1.2.3", "10.0.0.0/33", false],
    ["10.1.2.3", "10.0.0.0/x", false],
    ["10.1.2.3", "2.3", false],
    ["[2001:db8::1]", "2001:db8::1", true],
    ["[2001:db8::1]", "[2001:db8::1]:443", true],
    ["[2001:db8::1]", "2001:db8::/32", true],
    ["[2001:db8::1]", "10.0.0.0/8", false]
  ])("%s under NO_PROXY=%s is excepted: %s", (host, list, excepted) => {
    const named = proxied(`https://${host}/`, { ...proxies, no_proxy: list })
    assert.strictEqual(named, excepted ? undefined : "secure:1")
  })

  it("is refused where it is none, and its password is never told", () => {
    for (const value of ["http://", "socks5://u:SECRET@host:1", "http://u:%zzSECRET@host", "::"]) {
      const refused = proxyFor(new URL("https://host/"), variables({ HTTPS_PROXY: value }))
      assert.isTrue(Result.isFailure(refused), value)
      assert.notInclude(JSON.stringify(refused), "SECRET")
    }
  })
})

/** A server that the proxy leads to, and the process's variables as given, with `PROXY` for where it is. */
const behind = Effect.fnUntraced(function* (values: Readonly<Record<string, string>>) {
  const seen: Array<string | undefined> = []
  const server = createServer(({ headers, method }, response) => {
    seen.push(`${method} ${headers.host}`, headers["proxy-authorization"])
    response.end("here")
  })
  server.listen(0, "127.0.0.1")
  yield* Effect.promise(() => once(server, "listening"))
  // It listens on an address, not on a path.
  const { port } = server.address() as AddressInfo
  const proxy = yield* Effect.promise(() => connectProxy(port))
  for (const [name, value] of Object.entries(values)) {
    vi.stubEnv(name, value.replace("PROXY", proxy.host))
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      vi.unstubAllEnvs()
      proxy.close()
      server.closeAllConnections()
      server.close()
    })
  )
  return { proxy, seen, port }
})

const url = "http://far.example/token"
const withUser = { HTTP_PROXY: "http://us%20er:SECRET%3A@PROXY" }

describe("a request where a proxy is named", () => {
  it.live("goes through its tunnel, and the proxy's password no further than to the proxy", () =>
    Effect.gen(function* () {
      const { proxy, seen } = yield* behind(withUser)
      const answer = yield* send({ url, method: "POST", body: "x" })
      assert.strictEqual(new TextDecoder().decode(answer.body), "here")
      assert.deepStrictEqual(proxy.asked, [
        ["far.example:80", `Basic ${Buffer.from("us er:SECRET:").toString("base64")}`]
      ])
      assert.deepStrictEqual(seen, ["POST far.example", undefined])
    }).pipe(Effect.scoped)
  )

  it.live("without a user name says nothing of one", () =>
    Effect.gen(function* () {
      const { proxy } = yield* behind({ http_proxy: "PROXY" })
      yield* send({ url })
      assert.deepStrictEqual(proxy.asked, [["far.example:80", undefined]])
    }).pipe(Effect.scoped)
  )

  it.live("goes straight to this machine, whatever else the platform's fetch was told", () =>
    Effect.gen(function* () {
      const { port, proxy, seen } = yield* behind({ ...withUser, NODE_USE_ENV_PROXY: "1" })
      yield* send({ url: `http://127.0.0.1:${port}/` })
      assert.strictEqual(seen.length, 2)
      assert.deepStrictEqual(proxy.asked, [])
    }).pipe(Effect.scoped)
  )

  it.live("is refused as the proxy refuses it, by name and without its password", () =>
    Effect.gen(function* () {
      const { proxy } = yield* behind(withUser)
      for (const [status, tag, told] of [
        [407, "Misconfigured", /^the proxy PROXY does not take the user name and the password/],
        [403, "Misconfigured", /^the proxy PROXY does not let requests .* far\.example:80 \(403\)/],
        [502, "Transient", /^The proxy PROXY answered 502 for far\.example:80$/],
        [429, "Transient", /^The proxy PROXY answered 429/]
      ] as const) {
        proxy.refusal = status
        const fault = yield* Effect.flip(send({ url }))
        assert.strictEqual(fault._tag, tag)
        const problem = "problem" in fault ? fault.problem : fault.detail
        assert.match(problem.replace(proxy.host, "PROXY"), told)
        assert.notMatch(JSON.stringify(fault), /SECRET|us er|us%20er/)
        if ("setting" in fault) assert.strictEqual(fault.setting, "HTTP_PROXY")
      }
      proxy.refusal = "cut"
      assert.match((yield* detail) ?? "", /^No answer from the proxy 127\S+ \(ECONNRESET\)$/)
    }).pipe(Effect.scoped)
  )

  it.live("is told to bring a user name where the proxy wants one", () =>
    Effect.gen(function* () {
      const { proxy } = yield* behind({ HTTP_PROXY: "http://PROXY" })
      proxy.refusal = 407
      const fault = yield* Effect.flip(send({ url }))
      assert.match(fault._tag === "Misconfigured" ? fault.problem : "", /wants a user name/)
    }).pipe(Effect.scoped)
  )

  it.live("names a proxy that is not there, and a variable that names none", () =>
    Effect.gen(function* () {
      yield* behind({ HTTP_PROXY: "http://us:SECRET@127.0.0.1:1" })
      assert.strictEqual(yield* detail, "No answer from the proxy 127.0.0.1:1 (ECONNREFUSED)")
      vi.stubEnv("HTTP_PROXY", "socks5://us:SECRET@127.0.0.1:1")
      const fault = yield* Effect.flip(send({ url }))
      assert.strictEqual(fault._tag === "Misconfigured" && fault.setting, "HTTP_PROXY")
    }).pipe(Effect.scoped)
  )

  it.live("leaves no connection behind, neither interrupted at the proxy nor done", () =>
    Effect.gen(function* () {
      const { proxy } = yield* behind(withUser)
      yield* send({ url })
      proxy.refusal = "hang"
      const fiber = yield* Effect.forkChild(send({ url }))
      while (proxy.asked.length < 2) yield* Effect.sleep(1)
      yield* Fiber.interrupt(fiber)
      while (proxy.open() > 0) yield* Effect.sleep(1)
    }).pipe(Effect.scoped)
  )

  it.live("leaves no connection behind where its body breaks off with the tunnel just open", () =>
    Effect.gen(function* () {
      const { proxy } = yield* behind(withUser)
      const pull = (stream: ReadableStreamDefaultController) => stream.error(new Error("Broken"))
      const body = new ReadableStream({ pull }, { highWaterMark: 0 })
      const failed = yield* Effect.promise(() =>
        platformFetch(url, { method: "POST", body }).catch(String)
      )
      assert.strictEqual(failed, "Error: Broken")
      assert.strictEqual(proxy.asked.length, 1)
      while (proxy.open() > 0) yield* Effect.sleep(1)
    }).pipe(Effect.scoped)
  )

  it.live("shows its certificate to the server, through the tunnel as well as straight", () =>
    Effect.gen(function* () {
      const { ca, certificate: cert, key } = yield* Certificates.make(["far.example"])
      const server = createSecureServer(
        { cert, key, requestCert: true, rejectUnauthorized: false },
        // A server over TLS has such sockets alone.
        ({ socket }, response) =>
          response.end(`${(socket as TLSSocket).getPeerX509Certificate()?.subject}`)
      )
      server.listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(server, "listening"))
      // It listens on an address, not on a path.
      const { port } = server.address() as AddressInfo
      const proxy = yield* Effect.promise(() => connectProxy(port))
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          vi.unstubAllEnvs()
          proxy.close()
          server.closeAllConnections()
          server.close()
        })
      )
      vi.stubEnv("HTTPS_PROXY", `http://${proxy.host}`)
      const fetch = tlsFetch({ ca, cert, key })
      for (const to of ["https://far.example", `https://localhost:${port}`]) {
        const { body } = yield* send({ url: to }, { fetch })
        assert.strictEqual(new TextDecoder().decode(body), "CN=localhost")
      }
      assert.deepStrictEqual(proxy.asked, [["far.example:443", undefined]])
      const fault = yield* Effect.flip(send({ url: "https://far.example" }))
      assert.match(
        fault._tag === "Misconfigured" ? fault.problem : "",
        /far\.example is not trusted/
      )
    }).pipe(Effect.scoped)
  )

  const detail = Effect.map(Effect.flip(send({ url })), (fault) =>
    fault._tag === "Transient" ? fault.detail : undefined
  )
})
