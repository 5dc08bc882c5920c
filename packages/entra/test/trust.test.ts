import { Assertion } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { relyingParty } from "@federate/entra/trust"
import { Redacted, Result } from "effect"

const credential = {
  name: "main",
  issuer: "https://issuer.example",
  subject: "workload",
  audiences: ["api://AzureADTokenExchange"]
}

describe("federated credentials", () => {
  it.each([
    ["Graph's own", credential],
    ["Graph's list", { value: [credential] }],
    ["the CLI's list", [credential]],
    ["a managed identity's", { name: "main", properties: { ...credential, name: undefined } }]
  ])("are read: %s", (_, document) => {
    const [record, ...more] = relyingParty.records(JSON.parse(JSON.stringify(document)))
    assert.deepEqual(more, [])
    assert.strictEqual(record?.name, "main")
    assert.deepEqual(record?.problems, [])
    assert.deepEqual(
      record?.demands.map(({ by, claim, expected }) => [claim, by, ...expected]),
      [
        ["iss", "equals", "https://issuer.example"],
        // As Entra's own tokens name it, too.
        ["aud", "equals", "api://AzureADTokenExchange", "fb60f99c-7a34-4190-8149-302f77469936"],
        ["sub", "equals", "workload"]
      ]
    )
  })

  it("with an expression are Entra's alone to tell", () => {
    const { subject: _, ...rest } = credential
    const [record] = relyingParty.records({
      ...rest,
      claimsMatchingExpression: { value: "claims['sub'] matches 'repo:o/r:*'", languageVersion: 1 }
    })
    assert.strictEqual(record?.demands[2]?.by, "unreadable")
  })

  it("that can never match are told", () => {
    const [record] = relyingParty.records({ ...credential, subject: "repo:o/r:*", audiences: [] })
    assert.strictEqual(record?.problems?.length, 2)
    const [byId] = relyingParty.records({
      ...credential,
      audiences: ["fb60f99c-7a34-4190-8149-302f77469936"]
    })
    assert.match(byId?.problems?.[0]?.fix ?? "", /^Write "api:\/\/AzureADTokenExchange"/)
  })

  it.each([null, 7, "text", {}, { value: 1 }, { properties: {} }, [[]]])(
    "are nothing else: %j",
    (document) => {
      assert.deepEqual(relyingParty.records(document), [])
    }
  )
})

describe("errors", () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const assertion = Result.getOrThrow(
    Assertion.fromJwt(
      Redacted.make(`${part({ alg: "RS256" })}.${part({ sub: "repo:o/r:pull_request" })}.AAAA`),
      { obtainedAt: 0 }
    )
  )

  it("are known by their code, and tell what the words quote", () => {
    const [error, ...more] = relyingParty.errors(
      "ClientAssertionCredential: AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:a/b:x'. AADSTS700213",
      undefined
    )
    assert.deepEqual(more, [])
    assert.strictEqual(error?.code, "AADSTS700213")
    assert.deepEqual(error?.claims, ["sub"])
    assert.include(error?.hint, '"repo:a/b:x"')
  })

  it("quote what is left of a text that is cut, and the older form", () => {
    const [cut] = relyingParty.errors(
      "AADSTS700213: … presented assertion subject 'repo:a/b:ref:refs/he",
      undefined
    )
    assert.include(cut?.hint, '"repo:a/b:ref:refs/he…"')
    const [older] = relyingParty.errors(
      "AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i'. Assertion Subject: 's'. Assertion Audience: 'a'.",
      undefined
    )
    assert.match(older?.hint ?? "", /issuer "https:\/\/i", the subject "s" and the audience "a"/)
  })

  it("tell what the token says before what the words do", () => {
    const [error] = relyingParty.errors("AADSTS700213 … subject 'cut", assertion)
    assert.include(error?.hint, '"repo:o/r:pull_request"')
  })

  it("alone are enough", () => {
    const [error] = relyingParty.errors("AADSTS700212", undefined)
    assert.include(error?.hint, "AUDIENCE")
    assert.deepEqual(error?.claims, ["aud"])
  })

  it("that nobody knows can be looked up", () => {
    assert.match(relyingParty.errors("AADSTS999999", undefined)[0]?.hint ?? "", /code=999999/)
    assert.deepEqual(relyingParty.errors("no code", undefined), [])
  })
})
