import { Assertion } from "@federate/core"
import { relyingParty } from "@federate/google/trust"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"

const name = "projects/123456/locations/global/workloadIdentityPools/pool/providers/github"
const provider = {
  name,
  state: "ACTIVE",
  attributeMapping: { "google.subject": "assertion.sub" },
  attributeCondition: "assertion.repository_owner == 'o'",
  oidc: { issuerUri: "https://issuer.example", allowedAudiences: ["api://x"] }
}

const shown = (document: unknown) =>
  relyingParty
    .records(document)
    .flatMap(({ demands }) => demands.map(({ by, claim, expected }) => [claim, by, ...expected]))

describe("providers", () => {
  it("are read as gcloud prints them", () => {
    const expected = [
      ["iss", "equals", "https://issuer.example"],
      ["aud", "equals", "api://x"],
      ["sub", "atMostBytes", "127"],
      ["sub", "unreadable", "assertion.repository_owner == 'o'"]
    ]
    assert.deepEqual(shown(provider), expected)
    assert.deepEqual(shown([provider]), expected)
    const [record] = relyingParty.records(provider)
    assert.deepEqual([record?.problems, record?.risks], [[], []])
  })

  it("take their own name as the audience, where they list none", () => {
    const { attributeCondition: _, attributeMapping: __, ...bare } = provider
    assert.deepEqual(shown({ ...bare, oidc: { issuerUri: "https://issuer.example" } }), [
      ["iss", "equals", "https://issuer.example"],
      ["aud", "equals", `https://iam.googleapis.com/${name}`, `//iam.googleapis.com/${name}`]
    ])
  })

  it("that let nobody in, or too many, are told", () => {
    const { attributeCondition: _, attributeMapping: __, ...bare } = provider
    const [record] = relyingParty.records({ ...bare, disabled: true })
    assert.strictEqual(record?.problems?.length, 2)
    assert.strictEqual(record?.risks?.length, 1)
  })

  it.each([null, 7, {}, [], [{}], { name, aws: {} }])("are nothing else: %j", (document) => {
    assert.deepEqual(relyingParty.records(document), [])
  })
})

describe("errors", () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const assertion = Result.getOrThrow(
    Assertion.fromJwt(
      Redacted.make(
        `${part({ alg: "RS256" })}.${part({ aud: "api://y", sub: "é".repeat(70) })}.AAAA`
      ),
      { obtainedAt: 0 }
    )
  )
  const errors = (said: string, token?: Assertion.Assertion) => relyingParty.errors(said, token)

  it("are known by their code and their words", () => {
    const [error] = errors(
      "google.auth.exceptions.OAuthError: ('Error code invalid_grant: The audience in ID Token [api://z] does not match the expected audience.', '{\"error\":\"invalid_grant\"}')"
    )
    assert.strictEqual(error?.code, "invalid_grant")
    assert.include(error?.hint, "The token's audience is api://z")
  })

  it("tell what the token says before what the words do", () => {
    const [error] = errors("invalid_grant: The audience in ID Token [api://z] does not", assertion)
    assert.include(error?.hint, "The token's audience is api://y")
  })

  it("count bytes, not letters", () => {
    const [error] = errors(
      "invalid_request: The size of mapped attribute google.subject exceeds the 127 bytes limit.",
      assertion
    )
    assert.include(error?.hint, "has 140 bytes")
  })

  it("name the account, the permission and the principal", () => {
    const [error] = errors(
      `PERMISSION_DENIED Permission 'iam.serviceAccounts.getAccessToken' denied on sa@p.iam.gserviceaccount.com for ${name}`,
      assertion
    )
    assert.include(error?.hint, "sa@p.iam.gserviceaccount.com")
    assert.include(error?.hint, "workloadIdentityPools/pool/subject/é")
  })

  it("of others are left to them", () => {
    assert.deepEqual(errors("invalid_grant at some server"), [])
    assert.deepEqual(errors("google says nothing"), [])
  })
})
