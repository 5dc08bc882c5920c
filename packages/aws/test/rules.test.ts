import { documentRule, exchangerRules, sourceRules } from "@federate/aws/trust"
import { assert, describe, it } from "@effect/vitest"
import type { Duration } from "effect"

const roleArn = "arn:aws:iam::123456789012:role/reader"

const found = (
  given: { readonly duration?: Duration.Input },
  claims: Readonly<Record<string, string>> = {},
  documents: ReadonlyArray<unknown> = []
) =>
  exchangerRules
    .check({ roleArn, region: "eu-central-1", ...given }, { claims }, { others: [], documents })
    .map(({ subject, verdict }) => [verdict, subject])

const role = (MaxSessionDuration: number) => ({
  Role: { RoleName: "reader", Arn: roleArn, MaxSessionDuration, AssumeRolePolicyDocument: {} }
})

describe("a role's settings", () => {
  it("may ask for an hour, and for what the role allows", () => {
    assert.deepEqual(found({}), [])
    assert.deepEqual(found({ duration: "1 hour" }), [])
    assert.deepEqual(found({ duration: "2 hours" }), [["unknown", "duration"]])
    assert.deepEqual(found({ duration: "2 hours" }, {}, [role(7200)]), [])
    assert.deepEqual(found({ duration: "3 hours" }, {}, [role(7200)]), [["wrong", "duration"]])
    assert.deepEqual(found({}, {}, [role(1800)]), [["wrong", "duration"]])
    assert.deepEqual(
      found({ duration: "2 hours" }, {}, [{ Role: { ...role(7200).Role, Arn: "arn:other" } }]),
      [["unknown", "duration"]]
    )
  })

  it("need an issuer and an audience that IAM takes", () => {
    assert.deepEqual(found({}, { iss: "https://issuer.example/a", aud: "x".repeat(255) }), [])
    assert.deepEqual(found({}, { iss: "https://issuer.example:8443/a" }), [["wrong", "roleArn"]])
    assert.deepEqual(found({}, { iss: `https://issuer.example/${"a".repeat(255)}` }), [
      ["wrong", "roleArn"]
    ])
    assert.deepEqual(found({}, { aud: "x".repeat(256) }), [["wrong", "roleArn"]])
  })
})

describe("the source's settings", () => {
  it("fix the life of its assertions", () => {
    const { expected } = sourceRules
    assert.deepEqual(expected({}).life, { setting: "duration", milliseconds: 300_000 })
    assert.deepEqual(expected({ duration: "1 minute" }).life?.milliseconds, 60_000)
  })
})

describe("a policy", () => {
  const verdicts = (Condition: unknown) =>
    documentRule({
      Statement: { Effect: "Allow", Action: "sts:GetWebIdentityToken", Resource: "*", Condition }
    }).map(({ verdict }) => verdict)

  it("that lets anybody be presented is told of", () => {
    assert.deepEqual(verdicts({}), ["note"])
    assert.deepEqual(verdicts({ StringEquals: { "aws:SourceIp": "x" } }), ["note"])
  })

  it("that lets a second audience in is told of", () => {
    assert.deepEqual(
      verdicts({ "ForAnyValue:StringEquals": { "sts:IdentityTokenAudience": "x" } }),
      ["risky"]
    )
  })

  it("of one audience is not", () => {
    assert.deepEqual(
      verdicts({ "ForAllValues:StringEquals": { "sts:identityTokenAudience": "x" } }),
      []
    )
    assert.deepEqual(documentRule({ Statement: { Effect: "Allow", Action: "s3:*" } }), [])
    assert.deepEqual(documentRule(null), [])
  })
})
