import { challenges, claimsChallenge } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const read = (field: string) =>
  challenges(field).map(({ parameters, ...rest }) => ({
    ...rest,
    parameters: Object.fromEntries(parameters)
  }))

describe("challenges", () => {
  it("reads a scheme with its parameters, quoted and plain", () => {
    assert.deepStrictEqual(read('Bearer realm="", Error = "a, \\"b\\\\\\"",error_code=7'), [
      { scheme: "bearer", parameters: { realm: "", error: 'a, "b\\"', error_code: "7" } }
    ])
  })

  it("tells several challenges apart, though commas divide both them and their parameters", () => {
    assert.deepStrictEqual(
      read('Negotiate, , PoP nonce="eyJ0.x",\tBasic abc+/==, Bearer realm=a, Digest ,x=y'),
      [
        { scheme: "negotiate", parameters: {} },
        { scheme: "pop", parameters: { nonce: "eyJ0.x" } },
        { scheme: "basic", token68: "abc+/==", parameters: {} },
        { scheme: "bearer", parameters: { realm: "a" } },
        { scheme: "digest", parameters: { x: "y" } }
      ]
    )
  })

  it("reads nothing of what is not of the form in every part", () => {
    for (const field of [
      "",
      "realm=a",
      "Bearer realm=, a=b",
      'Bearer realm="a',
      'Bearer realm="a" b',
      'Bearer realm="a\u0000"',
      "Bearer realm=a b=c",
      "Bearer realm=a, realm=b",
      "Bearer abc, realm=a",
      "Bearer\trealm=a",
      "Bearer realm=a; b=c",
      "Bearer =a",
      "abc==, Bearer"
    ]) {
      assert.deepStrictEqual(challenges(field), [], field)
    }
  })

  const name = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9_-]{0,8}$/))
  const value = Schema.String.check(Schema.isPattern(/^[\t -~\u0080-\u00ff]{0,16}$/))
  it.prop(
    "reads back whatever is written",
    [Schema.Array(Schema.Tuple([name, Schema.Array(Schema.Tuple([name, value]))]))],
    ([written]) => {
      const expected = written.map(([scheme, pairs]) => ({
        scheme,
        parameters: Object.fromEntries(pairs)
      }))
      const field = expected
        .map(({ parameters, scheme }) =>
          `${scheme} ${Object.entries(parameters)
            .map(([key, text]) => `${key}="${text.replace(/["\\]/g, "\\$&")}"`)
            .join(", ")}`.trim()
        )
        .join(", ")
      assert.deepStrictEqual(read(field), expected)
    }
  )

  it.prop("never throws", [Schema.String], ([field]) => {
    assert.isArray(challenges(field))
  })

  it("is done at once with a field that is made to keep it busy", () => {
    for (const field of [`a${" ".repeat(200_000)}"`, `a ${"b".repeat(200_000)}"`, "a=".repeat(1e5)])
      assert.deepStrictEqual(challenges(field), [])
  })
})

describe("claimsChallenge", () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
  const of = (...fields: ReadonlyArray<string>) =>
    claimsChallenge(new Headers(fields.map((field) => ["www-authenticate", field])))
  const challenge = (encoded: string, error = "insufficient_claims") =>
    `Bearer realm="", authorization_uri="https://login.example/authorize", error="${error}", claims="${encoded}"`

  it("gives the claims as JSON, from base64 and from base64url", () => {
    for (const text of [claims, '{"a":{"value":"??>>~~\u00fc"}}']) {
      for (const encoding of ["base64", "base64url"] as const) {
        assert.strictEqual(of(challenge(Buffer.from(text).toString(encoding))), text)
      }
    }
  })

  it("finds them among other challenges, in whichever field they stand", () => {
    const encoded = Buffer.from(claims).toString("base64")
    assert.strictEqual(of('Basic realm="x"', challenge(encoded), "PoP nonce=abc"), claims)
  })

  it("gives nothing for any other refusal, and for claims that cannot be read", () => {
    const encoded = Buffer.from(claims).toString("base64")
    assert.isUndefined(of())
    assert.isUndefined(of(challenge(encoded, "invalid_token")))
    assert.isUndefined(of(challenge(encoded).replace("Bearer", "PoP")))
    assert.isUndefined(of('Bearer error="insufficient_claims"'))
    for (const unreadable of ["[]", "{", "\u0000"]) {
      assert.isUndefined(of(challenge(Buffer.from(unreadable).toString("base64"))))
    }
    assert.isUndefined(of(challenge("%%%%")))
    assert.isUndefined(of(challenge(Buffer.from([0x22, 0xff, 0x22]).toString("base64"))))
  })
})
