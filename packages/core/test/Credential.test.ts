import { Credential } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { inspect } from "node:util"

const token = (text: string, obtainedAt = 0) =>
  Credential.accessToken({
    token: Redacted.make(text),
    tokenType: "Bearer",
    obtainedAt,
    expiresAt: 1
  })

const keys = (secret: string) =>
  Credential.awsCredentials({
    accessKeyId: "AKIA",
    secretAccessKey: Redacted.make(secret),
    sessionToken: Redacted.make("session"),
    obtainedAt: 0,
    expiresAt: 1
  })

describe("Credential", () => {
  it("tells access tokens by the token alone", () => {
    assert.isTrue(Credential.same(token("a"), token("a", 99)))
    assert.isFalse(Credential.same(token("a"), token("b")))
  })

  it("tells any other by all that it is", () => {
    assert.isTrue(Credential.same(keys("a"), keys("a")))
    assert.isFalse(Credential.same(keys("a"), keys("b")))
    assert.isFalse(Credential.same(keys("a"), token("a")))
    assert.isTrue(Credential.same({ obtainedAt: 0, expiresAt: 1 }, { obtainedAt: 0, expiresAt: 1 }))
  })

  it("shows no secret", () => {
    for (const credential of [token("SECRET"), keys("SECRET")]) {
      assert.notInclude(JSON.stringify(credential), "SECRET")
      assert.notInclude(inspect(credential, { depth: null, showHidden: true }), "SECRET")
    }
  })
})
