import { assert, describe, it } from "@effect/vitest"
import { Credential } from "@federate/core"
import { Redacted } from "effect"
import { handedOf } from "../src/Audit.ts"

const token = (text: string) =>
  Credential.accessToken({
    token: Redacted.make(text),
    tokenType: "Bearer",
    obtainedAt: 0,
    expiresAt: 1000
  })

describe("what an audit is told of a credential", () => {
  const about = { protocol: "api", flow: "graph", scope: "a" }

  it("is the same object for the same credential, protocol and question", () => {
    const credential = token("t")
    const told = handedOf(credential, about)
    assert.strictEqual(handedOf(credential, { ...about }), told)
    assert.notStrictEqual(handedOf(credential, { ...about, protocol: "gce-token" }), told)
    assert.notStrictEqual(handedOf(credential, { ...about, scope: "b" }), told)
    // Two flows may have it of one exchanger.
    assert.strictEqual(handedOf(credential, { ...about, flow: "other" }).flow, "other")
    assert.notStrictEqual(handedOf(token("t"), about), told)
  })

  it("holds the token's SHA-256 and its end, and not the token", () => {
    assert.deepEqual(handedOf(token("t"), about), {
      ...about,
      // printf t | sha256sum
      tokenHash: "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8",
      expiresAt: 1000
    })
  })

  it("is forgotten sooner than it grows without end", () => {
    const credential = token("t")
    const told = handedOf(credential, about)
    for (let index = 0; index < 300; index++) handedOf(credential, { ...about, scope: `${index}` })
    assert.notStrictEqual(handedOf(credential, about), told)
    assert.deepEqual(handedOf(credential, about), told)
  })
})
