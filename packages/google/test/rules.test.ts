import { assert, describe, it } from "@effect/vitest"
import {
  documentRule,
  exchangerRules,
  idTokenRules,
  relyingParty,
  sourceRules
} from "@federate/google/trust"

const audience =
  "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/pool/providers/github"
const serviceAccount = "reader@project.iam.gserviceaccount.com"
type Settings = Parameters<typeof exchangerRules.check>[0]
type Known = Parameters<typeof exchangerRules.check>[1]

const found = (given: Settings, known: Partial<Known> = {}) =>
  exchangerRules
    .check({ audience, ...given }, { claims: {}, ...known }, { others: [], documents: [] })
    .map(({ subject, verdict }) => [verdict, subject])

describe("an exchanger's settings", () => {
  it.each<readonly [Settings, ReadonlyArray<string>]>([
    [{ audience: audience.replace("Pools/pool", "Pools/gcp-pool") }, ["wrong", "audience"]],
    [{ audience: audience.replace("github", "gcp-github") }, ["wrong", "audience"]],
    [{ serviceAccount, lifetime: "2 hours" }, ["unknown", "lifetime"]],
    [{ lifetime: "30 minutes" }, ["note", "lifetime"]],
    [{ foreignHosts: true }, ["note", "foreignHosts"]]
  ])("%j are told of", (given, finding) => {
    assert.deepEqual(found(given).at(0), finding)
  })

  it.each<Settings>([{}, { serviceAccount, lifetime: "1 hour" }, { foreignHosts: false }])(
    "%j are not",
    (given) => {
      assert.deepEqual(found(given), [])
    }
  )

  it("take subjects of 127 bytes, unless the provider maps less", () => {
    assert.deepEqual(found({}, { claims: { sub: "x".repeat(127) } }), [])
    assert.deepEqual(found({}, { claims: { sub: "é".repeat(64) } }), [["unknown", "audience"]])
  })

  it("take assertions of a day", () => {
    const life = { setting: "expiration", milliseconds: 86_400_000 }
    assert.deepEqual(found({}, { life }), [])
    assert.deepEqual(found({}, { life: { ...life, milliseconds: 86_401_000 } }), [
      ["wrong", "audience"]
    ])
  })

  it("for ID tokens are looked at the same", () => {
    assert.strictEqual(
      idTokenRules.check(
        { audience: audience.replace("github", "gcp-github"), serviceAccount },
        { claims: {} },
        { others: [], documents: [] }
      )[0]?.verdict,
      "wrong"
    )
  })
})

describe("a credentials file's settings", () => {
  it("that run what it says are told of", () => {
    const check = (given: Parameters<typeof sourceRules.check>[0]) =>
      sourceRules.check(given, { others: [], documents: [] }).map(({ subject }) => subject)
    assert.deepEqual(check({}), [])
    assert.deepEqual(check({ allowExecutables: true, foreignHosts: true }), [
      "foreignHosts",
      "allowExecutables"
    ])
  })
})

describe("bindings", () => {
  const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool"
  const told = (member: string) =>
    documentRule({
      bindings: [{ role: "roles/iam.workloadIdentityUser", members: [member] }],
      etag: "x",
      version: 1
    }).map(({ verdict }) => verdict)

  it.each([`principalSet:${pool}/*`, "allUsers", "allAuthenticatedUsers"])(
    "of %s are told of",
    (member) => {
      assert.deepEqual(told(member), ["risky"])
    }
  )

  it.each([
    `principal:${pool}/subject/x`,
    `principalSet:${pool}/attribute.repository/o/r`,
    "user:ann@example.com"
  ])("of %s are not", (member) => {
    assert.deepEqual(told(member), [])
  })

  it.each([null, 7, {}, { bindings: 7 }])("are nothing else: %j", (document) => {
    assert.deepEqual(documentRule(document), [])
  })
})

describe("a provider's condition", () => {
  it.each(["true", " ", undefined])("that lets everybody in is told of: %s", (condition) => {
    const [record] = relyingParty.records(
      JSON.parse(
        JSON.stringify({
          name: "x",
          attributeMapping: { "google.subject": "assertion.sub" },
          attributeCondition: condition,
          oidc: { issuerUri: "https://issuer.example" }
        })
      )
    )
    assert.strictEqual(record?.risks?.length, 1)
  })
})
