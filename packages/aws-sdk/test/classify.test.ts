import { classify, endOf, jsonError } from "@federate/aws-sdk"
import type { HttpAnswer } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"

const answer = (body: string, status = 400, headers: Record<string, string> = {}): HttpAnswer => ({
  url: "https://service.example/",
  status,
  headers: new Headers(headers),
  body: new TextEncoder().encode(body),
  sentAt: 1000,
  serverTime: 5000,
  retryAt: undefined
})

const meanings = {
  hints: { NotFound: "There is no {name} here, {{}} {other}" },
  remedies: { NotFound: "waitForTrust" },
  otherwise: "Look it up.",
  facts: { name: "pool" }
} as const

describe("an error's name", () => {
  it("is what AWS JSON has in its header, or in its body, without what other protocols add", () => {
    const code = (body: object, headers: Record<string, string> = {}) =>
      jsonError(answer(JSON.stringify(body), 400, headers))?.code
    assert.strictEqual(code({ __type: "a.b#NotFound" }), "NotFound")
    assert.strictEqual(code({}, { "x-amzn-errortype": "NotFound:http://x/" }), "NotFound")
    for (const none of [{}, { __type: 1 }, { __type: "a b" }, { __type: "x".repeat(101) }])
      assert.isUndefined(code(none))
    assert.strictEqual(jsonError(answer('{"__type":"NotFound","Message":"no"}'))?.message, "no")
  })
})

describe("an error", () => {
  it("is refused with its own fix and remedy, or with what all services share", () => {
    const reason = (code: string) =>
      classify(answer("", 400, { "x-amzn-requestid": "r" }), { code }, meanings)
    assert.deepInclude(reason("NotFound"), {
      _tag: "Rejected",
      hint: "There is no pool here, {{}} {other}",
      remedy: "waitForTrust",
      description: "AWS gave no message",
      reference: { requestId: "r" }
    })
    assert.deepInclude(reason("New"), { hint: "Look it up.", remedy: "none" })
    assert.include(JSON.stringify(reason("InvalidClientTokenId")), "access key")
  })

  it("passes by itself when AWS says so, by name or by status", () => {
    assert.strictEqual(
      classify(answer(""), { code: "Throttling", message: "slow" }, meanings)._tag,
      "Transient"
    )
    assert.strictEqual(classify(answer("", 503), { code: "NotFound" }, meanings)._tag, "Transient")
  })

  it("is no protocol's when it has no name, or a good status", () => {
    assert.strictEqual(classify(answer(""), undefined, meanings)._tag, "Malformed")
    assert.strictEqual(classify(answer("", 200), { code: "NotFound" }, meanings)._tag, "Malformed")
  })
})

describe("the end of credentials", () => {
  it("is counted from when the request left, by AWS's own clock", () => {
    assert.deepStrictEqual(endOf(9000, answer("")), Result.succeed(5000))
    for (const bad of [5000, 0, Number.NaN]) assert.isTrue(Result.isFailure(endOf(bad, answer(""))))
  })
})
