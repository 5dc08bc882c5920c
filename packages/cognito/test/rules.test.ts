import { documentRule, loginRules, sourceRules } from "@federate/cognito/trust"
import { AssertionSource } from "@federate/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"

const identityPoolId = "eu-central-1:0f5add88-3d5a-43c8-bffb-b13b50202d7a"
const identityId = "eu-central-1:c0ffee00-3d5a-43c8-bffb-b13b50202d7a"
const settings = {
  identityPoolId,
  identityId,
  logins: { "my.dev.provider": Redacted.make("me") }
}
type Settings = Parameters<typeof sourceRules.check>[0]

const pool = (given: Readonly<Record<string, unknown>> = {}) => ({
  IdentityPoolId: identityPoolId,
  IdentityPoolName: "federate",
  AllowUnauthenticatedIdentities: false,
  DeveloperProviderName: "my.dev.provider",
  ...given
})

const told = (
  config: Settings,
  {
    documents = [],
    others = []
  }: { readonly documents?: ReadonlyArray<unknown>; readonly others?: ReadonlyArray<Settings> } = {}
) =>
  sourceRules.check(config, { documents, others }).map(({ subject, verdict }) => [verdict, subject])

describe("a developer identity's settings", () => {
  it("fix subject and life", () => {
    assert.deepEqual(sourceRules.expected({ ...settings, tokenDuration: "2 minutes" }), {
      subject: identityId,
      life: { setting: "tokenDuration", milliseconds: 120_000 }
    })
    assert.strictEqual(sourceRules.expected(settings).life?.milliseconds, 900_000)
  })

  it("pin the identity", () => {
    assert.deepEqual(told(settings), [])
    assert.deepEqual(told({ ...settings, identityId: undefined }), [["note", "identityId"]])
  })

  it("share a pool with no other login", () => {
    const other = { ...settings, logins: { "my.dev.provider": Redacted.make("other") } }
    assert.deepEqual(told(settings, { others: [settings] }), [])
    assert.deepEqual(
      told(settings, {
        others: [{ ...other, identityPoolId: "eu-central-1:00000000-3d5a-43c8-bffb-b13b50202d7a" }]
      }),
      []
    )
    assert.deepEqual(told(settings, { others: [other] }), [["note", "identityPoolId"]])
  })

  it("name the pool's own developer provider", () => {
    assert.deepEqual(told(settings, { documents: [pool()] }), [])
    for (const DeveloperProviderName of ["My.dev.provider", undefined]) {
      assert.deepEqual(
        told(settings, {
          documents: [JSON.parse(JSON.stringify(pool({ DeveloperProviderName })))]
        }),
        [["wrong", "logins"]]
      )
    }
    assert.deepEqual(
      told(settings, {
        documents: [pool({ IdentityPoolId: "eu-central-1:0", DeveloperProviderName: "x" })]
      }),
      []
    )
  })

  it("are told without the user's id", () => {
    const secret = { ...settings, logins: { x: Redacted.make("SECRET") } }
    assert.notInclude(
      JSON.stringify(
        sourceRules.check(secret, { documents: [pool()], others: [{ ...settings, logins: {} }] })
      ),
      "SECRET"
    )
  })
})

describe("a public login's settings", () => {
  const login = AssertionSource.make({ name: "x", assertion: () => Effect.die("not asked") })
  const check = (documents: ReadonlyArray<unknown>) =>
    loginRules.check({ identityPoolId, login }, { documents, others: [] })

  it("need the basic flow", () => {
    assert.deepEqual(check([]), [])
    assert.deepEqual(check([pool({ AllowClassicFlow: true })]), [])
    assert.deepEqual(
      check([pool()]).map(({ verdict }) => verdict),
      ["wrong"]
    )
  })
})

describe("a pool", () => {
  const verdicts = (given: Readonly<Record<string, unknown>>) =>
    documentRule(pool(given)).map(({ verdict }) => verdict)

  it("keeps guests out", () => {
    assert.deepEqual(verdicts({}), [])
    assert.deepEqual(verdicts({ AllowUnauthenticatedIdentities: true }), ["note"])
    assert.deepEqual(verdicts({ AllowUnauthenticatedIdentities: true, AllowClassicFlow: true }), [
      "risky"
    ])
  })
})

describe("IAM's policies", () => {
  const arn = `arn:aws:cognito-identity:eu-central-1:123456789012:identitypool/${identityPoolId}`
  const action = "cognito-identity:GetOpenIdTokenForDeveloperIdentity"
  const policy = (Resource: unknown, Action: unknown = action) => ({
    Statement: [{ Effect: "Allow", Action, Resource }]
  })
  const inline = (RoleName: string, document: unknown) => ({
    RoleName,
    RolePolicyList: [{ PolicyName: "mint", PolicyDocument: document }],
    AttachedManagedPolicies: []
  })

  it.each([
    ["*", action],
    ["arn:aws:cognito-identity:*:*:identitypool/*", action],
    ["*", "cognito-identity:*"],
    ["*", "*"]
  ])("that let any subject be minted are told of: %s, %s", (resource, allowed) => {
    assert.deepEqual(
      documentRule(policy(resource, allowed)).map(({ verdict }) => verdict),
      ["risky"]
    )
  })

  it("of one pool and one role are not", () => {
    assert.deepEqual(documentRule(policy(arn)), [])
    assert.deepEqual(documentRule({ RoleDetailList: [inline("reader", policy(arn))] }), [])
    assert.deepEqual(documentRule(policy("*", "s3:*")), [])
  })

  it("of a pool that two share are told of", () => {
    const [finding, ...more] = documentRule({
      RoleDetailList: [
        inline("reader", policy(arn)),
        inline("writer", policy(arn.replace(/[^/]*$/, "eu-central-1:0f5a*")))
      ]
    }).filter(({ subject }) => subject === arn)
    assert.deepEqual(more, [])
    assert.strictEqual(finding?.verdict, "risky")
    assert.match(finding?.what ?? "", /role reader, role writer/)
  })
})
