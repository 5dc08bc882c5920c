import { assert, describe, it } from "@effect/vitest"
import { pasted } from "@federate/trust"
import { Schema } from "effect"

describe("what is pasted", () => {
  it("is taken apart, whatever stands first", () => {
    assert.deepEqual(pasted('before {"a":["}",{}]} between eyJh.eyJi.c- after [1] end'), {
      tokens: ["eyJh.eyJi.c-"],
      documents: [{ a: ["}", {}] }, [1]],
      text: "before  between  after  end"
    })
  })

  it("may be YAML", () => {
    assert.deepEqual(pasted("name: x\noidc:\n  issuerUri: https://issuer.example\n").documents, [
      { name: "x", oidc: { issuerUri: "https://issuer.example" } }
    ])
  })

  it.each(["", "words alone", "{ no document", '{"cut": ["of', "['not': json]"])(
    "is text otherwise: %j",
    (text) => {
      assert.deepEqual(pasted(text).tokens, [])
      assert.strictEqual(pasted(text).text, text)
    }
  )

  it.prop("is never lost", [Schema.String], ([text]) => {
    const { documents, text: rest, tokens } = pasted(text)
    if (documents.length === 0 && tokens.length === 0) assert.strictEqual(rest, text.trim())
  })

  it("does not cost a look at all that follows for each bracket", () => {
    assert.strictEqual(pasted("{".repeat(200_000)).text.length, 200_000)
  })

  it("finds what stands after brackets that mean nothing", () => {
    assert.deepEqual(pasted('[error] (see {docs) {"a":1}').documents, [{ a: 1 }])
  })
})
