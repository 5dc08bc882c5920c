import { publicText } from "@federate/http"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

describe("publicText", () => {
  it("is one line of bounded length", () => {
    assert.strictEqual(
      publicText("AADSTS700024: x\r\nTrace ID: y\u0000\u009b31m"),
      "AADSTS700024: x Trace ID: y 31m"
    )
    assert.strictEqual(publicText("x".repeat(5000)), `${"x".repeat(1000)}…`)
  })

  it("has nothing that turns or hides text", () => {
    assert.strictEqual(publicText("a\u202Eb\u200Bc\u2028d"), "a b c d")
  })

  it("hides a JWT that somebody echoed", () => {
    const header = btoa('{"alg":"RS256"}').replace("=", "")
    assert.strictEqual(
      publicText(`token ${header}.eyJzdWIiOiJ4In0.c2ln refused`),
      "token <redacted> refused"
    )
    assert.strictEqual(publicText(`cut ${header}.eyJzdWIi`), "cut <redacted>")
  })

  it.prop("never has a control character", [Schema.String], ([text]) => {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    assert.isFalse(/[\u0000-\u001f\u007f]/.test(publicText(text)))
  })
})
