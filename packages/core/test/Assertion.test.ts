import { Assertion } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { inspect } from "node:util"
import { jwt } from "./fakes.ts"

const read = (text: string, options: Assertion.FromJwtOptions = { obtainedAt: 0 }) =>
  Assertion.fromJwt(Redacted.make(text), options)

const problem = (text: string): string => {
  const result = read(text)
  return Result.isFailure(result) ? result.failure.detail : "none"
}

describe("Assertion.fromJwt", () => {
  it("tells what the token says of itself", () => {
    const claims = { iss: "https://issuer", sub: "workload", aud: ["a", "b"], iat: 100, exp: 1000 }
    const assertion = Result.getOrThrow(
      read(jwt(claims, { alg: "RS512", kid: "k" }), { obtainedAt: 7000 })
    )
    const { claims: decoded, header, token: _, ...rest } = assertion
    assert.deepStrictEqual(rest, {
      obtainedAt: 7000,
      expiresAt: 1_000_000,
      lifetime: 900_000,
      issuer: "https://issuer",
      subject: "workload",
      audience: ["a", "b"],
      algorithm: "RS512"
    })
    assert.deepStrictEqual(decoded, claims)
    assert.deepStrictEqual(header, { alg: "RS512", kid: "k" })
  })

  it("takes exp as a duration from the issuer's clock, so that clocks that disagree do no harm", () => {
    const token = jwt({ iat: 10_000, exp: 10_900 })
    const ends = (issuerTime?: number | "iat") =>
      Result.getOrThrow(
        read(token, { obtainedAt: 5_000_000, ...(issuerTime !== undefined && { issuerTime }) })
      ).expiresAt
    assert.strictEqual(ends("iat"), 5_900_000)
    assert.strictEqual(ends(10_100_000), 5_800_000)
    assert.strictEqual(ends(), 10_900_000)
  })

  it("leaves out what is absent or of another kind", () => {
    const assertion = Result.getOrThrow(
      read(jwt({ iss: 1, sub: null, aud: 7, exp: "soon", iat: {} }, {}))
    )
    assert.deepStrictEqual(Object.keys(assertion).toSorted(), [
      "audience",
      "claims",
      "header",
      "obtainedAt",
      "token"
    ])
    assert.deepStrictEqual(assertion.audience, [])
  })

  it("says where a token is bad", () => {
    const [header, payload] = jwt().split(".") as [string, string, string]
    const part = (text: string) => Base64Url.encode(text)
    assert.strictEqual(problem(""), "The token is empty")
    assert.match(problem("opaque"), /is one part, and not three divided by dots/)
    assert.match(problem(`${header}.${payload}`), /is 2 parts/)
    assert.match(problem(`${header}.${payload}.x.y.z`), /is 5 parts/)
    assert.match(problem(`${header}.${payload}.`), /signature is empty/)
    assert.match(problem(`.${payload}.x`), /header is empty/)
    assert.match(
      problem(`${header}=.${payload}.x`),
      /header has a character at \d+ that base64url does not have/
    )
    assert.match(problem(`${header}. ${payload}.x`), /payload has a character at 1 /)
    assert.match(problem(`${header}.${payload}.a+b`), /signature has a character at 2 /)
    assert.match(problem(`${part("{")}.${payload}.x`), /header is not JSON$/)
    assert.match(problem(`${header}.${part("[1]")}.x`), /payload is not a JSON object/)
    assert.match(problem(`${header}.${part("null")}.x`), /payload is not a JSON object/)
    assert.match(problem(`${header}.a.x`), /payload is not base64url/)
    assert.match(problem(`${header}.${"a".repeat(1_000_000)}.x`), /bytes long; at most 16384/)
  })

  it.prop("never throws and never quotes the token", [Schema.String], ([text]) => {
    const secret = `SECRET${text}`
    const result = read(secret)
    assert.isFalse(Result.isSuccess(result))
    assert.notInclude(problem(secret), "SECRET")
  })

  it("does not show the token", () => {
    const token = jwt({ sub: "workload" })
    const assertion = Result.getOrThrow(read(token))
    assert.notInclude(JSON.stringify(assertion), token)
    assert.notInclude(inspect(assertion, { depth: null, showHidden: true }), token)
  })
})
