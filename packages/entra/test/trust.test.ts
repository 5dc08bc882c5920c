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

  it.each([
    ["claims['sub'] matches 'repo:o/r:*'", [["sub", "like", "repo:o/r:*"]]],
    [
      "claims['sub'] eq 'it''s' and claims['job_workflow_ref'] matches 'o/r/*'",
      [
        ["sub", "equals", "it's"],
        ["job_workflow_ref", "like", "o/r/*"]
      ]
    ],
    // What is in no form that is known is Entra's alone to tell.
    ["claims['sub'] startsWith 'repo'", [["sub", "unreadable", "claims['sub'] startsWith 'repo'"]]]
  ])("with an expression demand what it says: %s", (value, demanded) => {
    const { subject: _, ...rest } = credential
    const [record] = relyingParty.records({
      ...rest,
      claimsMatchingExpression: { value, languageVersion: 1 }
    })
    assert.deepEqual(
      record?.demands.slice(2).map(({ by, claim, expected }) => [claim, by, ...expected]),
      demanded
    )
    assert.deepEqual(record?.problems, [])
  })

  const problems = (document: unknown) =>
    relyingParty
      .records(document)
      .map((record) => record.problems?.map(({ fix, what }) => `${what}. ${fix}`).join("; ") ?? "")

  it.each([
    [{ name: "a" }, /3 to 120/],
    [{ name: "-main" }, /3 to 120/],
    [{ name: "a".repeat(121) }, /3 to 120/],
    [{ name: "my name" }, /3 to 120/],
    [{ issuer: `https://issuer.example/${"x".repeat(600)}` }, /`issuer` has 623 characters/],
    [{ subject: "x".repeat(601) }, /`subject` has 601 characters/],
    [{ audiences: ["x".repeat(601)] }, /`audiences` has 601 characters/]
  ])("past Entra's limits are told", (changed, told) => {
    assert.match(problems({ ...credential, ...changed })[0] ?? "", told)
  })

  it("within them are not", () => {
    assert.deepEqual(problems({ ...credential, name: "a".repeat(120), subject: "x".repeat(600) }), [
      ""
    ])
  })

  it("of one issuer and subject are one too many", () => {
    assert.match(problems([credential, { ...credential, name: "again" }])[1] ?? "", /those of main/)
    assert.deepEqual(problems([credential, { ...credential, subject: "other" }]), ["", ""])
  })

  it("are twenty at most", () => {
    const many = Array.from({ length: 21 }, (_, index) => ({ ...credential, subject: `s${index}` }))
    assert.deepEqual(
      problems(many.slice(0, 20)).filter((each) => each !== ""),
      []
    )
    assert.match(problems({ value: many })[20] ?? "", /number 21/)
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
