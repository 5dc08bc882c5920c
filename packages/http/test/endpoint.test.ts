import { endpoint, isLinkLocal, isLoopback } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"

describe("endpoint", () => {
  it("takes https anywhere, and http on this machine", () => {
    for (const url of [
      "https://login.microsoftonline.com/t/oauth2",
      "https://10.0.0.1:8443/",
      "http://localhost:1/x",
      "http://127.0.0.1/",
      "http://127.9.9.9:80/",
      "http://[::1]:8080/",
      "http://a.localhost/"
    ]) {
      assert.isTrue(Result.isSuccess(endpoint("x", url)), url)
    }
  })

  it("says what is wrong with any other", () => {
    for (const [url, problem] of [
      ["host/path", /not an absolute URL/],
      ["", /not an absolute URL/],
      ["http://example.com/", /is http to example\.com/],
      ["http://127.0.0.1.evil.com/", /is http to 127\.0\.0\.1\.evil\.com/],
      ["http://localhost.evil.com/", /is http/],
      ["http://128.0.0.1/", /is http/],
      ["ftp://localhost/", /scheme ftp:/],
      ["https://user:pass@host/", /user name/],
      ["https://host/#x", /fragment/]
    ] as const) {
      const result = endpoint("tokenEndpoint", url)
      assert.isTrue(Result.isFailure(result), url)
      if (Result.isFailure(result)) {
        assert.strictEqual(result.failure.setting, "tokenEndpoint")
        assert.match(result.failure.problem, problem)
        assert.notInclude(result.failure.problem, "pass@")
      }
    }
  })
})

describe("isLoopback", () => {
  it("knows this machine by its names", () => {
    assert.isTrue(["localhost", "127.0.0.1", "[::1]", "x.localhost"].every(isLoopback))
    assert.isFalse(
      ["example.com", "0.0.0.0", "169.254.169.254", "[::]", "127.0.0.1.nip.io", ""].some(isLoopback)
    )
  })
})

describe("isLinkLocal", () => {
  it("knows where platforms serve their machines, and nothing that only looks like it", () => {
    for (const host of [
      "169.254.169.254",
      "169.254.170.2",
      "[fe80::1]",
      "[febf::1]",
      "[fd00:ec2::254]",
      "[fd20:ce::254]",
      "168.63.129.16",
      "metadata.google.internal"
    ])
      assert.isTrue(isLinkLocal(new URL(`http://${host}`).hostname), host)
    for (const host of [
      "169.254.169.254.nip.io",
      "10.0.0.1",
      "[fec0::1]",
      "[fd00:ec::1]",
      "[::1]",
      "x.metadata.google.internal",
      ""
    ])
      assert.isFalse(isLinkLocal(host), host)
  })
})
