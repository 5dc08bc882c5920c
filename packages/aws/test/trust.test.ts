import { Assertion } from "@federate/core"
import { relyingParty } from "@federate/aws/trust"
import { assert, describe, it } from "@effect/vitest"
import { compare } from "@federate/trust"
import { Redacted, Result } from "effect"

const issuer = "token.actions.githubusercontent.com"
const statement = {
  Effect: "Allow",
  Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${issuer}` },
  Action: "sts:AssumeRoleWithWebIdentity",
  Condition: {
    StringEquals: { [`${issuer}:aud`]: "sts.amazonaws.com" },
    StringLike: { [`${issuer}:sub`]: ["repo:o/r:*", "repo:o/s:*"] }
  }
}
const policy = { Version: "2012-10-17", Statement: [statement] }

const shown = (document: unknown) =>
  relyingParty
    .records(document)
    .flatMap(({ demands }) => demands.map(({ by, claim, expected }) => [claim, by, ...expected]))

const expected = [
  ["iss", "equals", `https://${issuer}`],
  ["aud", "equals", "sts.amazonaws.com"],
  ["sub", "like", "repo:o/r:*", "repo:o/s:*"]
]

describe("trust policies", () => {
  it("are read, by themselves and of a role", () => {
    assert.deepEqual(shown(policy), expected)
    assert.deepEqual(shown({ ...policy, Statement: statement }), expected)
    const [record] = relyingParty.records({
      Role: { RoleName: "reader", Arn: "arn", AssumeRolePolicyDocument: policy }
    })
    assert.strictEqual(record?.name, "reader")
    assert.deepEqual([record?.problems, record?.risks], [[], []])
  })

  it("compare azp in the audience's place, as AWS does", () => {
    const [record] = relyingParty.records(policy)
    const { comparisons } = compare(
      {
        claims: { iss: `https://${issuer}`, aud: "sts.amazonaws.com", azp: "x", sub: "repo:o/r:x" }
      },
      record!
    )
    assert.deepEqual(
      comparisons.map(({ claim, verdict }) => [claim, verdict]),
      [
        ["iss", "agrees"],
        ["azp", "differs"],
        ["sub", "agrees"]
      ]
    )
  })

  it.each([
    ["StringNotEquals", "unreadable"],
    ["ForAllValues:StringEquals", "unreadable"],
    ["ForAnyValue:StringEquals", "equals"],
    ["StringEqualsIgnoreCase", "equalsIgnoringCase"],
    ["StringLikeIfExists", "like"]
  ] as const)("are told as far as they can be read: %s is %s", (operator, by) => {
    const document = {
      ...policy,
      Statement: { ...statement, Condition: { [operator]: { [`${issuer}:sub`]: "x" } } }
    }
    assert.deepEqual(shown(document)[1], ["sub", by, "x"])
  })

  it("may depend on more than the token", () => {
    const document = {
      ...policy,
      Statement: { ...statement, Condition: { StringEquals: { "aws:SourceIp": "10.0.0.1" } } }
    }
    assert.deepEqual(shown(document)[1], ["aws:SourceIp", "unreadable", "10.0.0.1"])
  })

  it.each([
    [{ Condition: { StringEquals: { [`${issuer}:aud`]: "x" } } }, /nothing is said of `.*:sub`/],
    [{ Condition: undefined }, /nothing is said/],
    [
      { Condition: { "ForAllValues:StringEquals": { [`${issuer}:sub`]: "repo:o/r:x" } } },
      /holds for a token without that claim/
    ]
  ])("that let too many in are told: %j", (changed, told) => {
    const document = JSON.parse(
      JSON.stringify({ ...policy, Statement: { ...statement, ...changed } })
    )
    assert.match(relyingParty.records(document)[0]?.risks?.join("; ") ?? "", told)
  })

  it("of Cognito must name the pool, and keep guests out", () => {
    const provider = "cognito-identity.amazonaws.com"
    const risks = (Condition: unknown) =>
      relyingParty.records({
        ...policy,
        Statement: { ...statement, Principal: { Federated: provider }, Condition }
      })[0]?.risks
    const pool = { StringEquals: { [`${provider}:aud`]: "eu-central-1:pool" } }
    assert.deepEqual(
      risks({
        ...pool,
        "ForAnyValue:StringLike": { [`${provider}:amr`]: "authenticated" }
      }),
      []
    )
    assert.match(risks(pool)?.join("; ") ?? "", /guests of the pool/)
    assert.match(risks({})?.join("; ") ?? "", /everybody's pools/)
  })

  it("that write a pattern where none is read are told", () => {
    const [record] = relyingParty.records({
      ...policy,
      Statement: {
        ...statement,
        Condition: { StringEquals: { [`${issuer}:sub`]: "repo:o/r:*" } }
      }
    })
    assert.match(record?.problems?.[0]?.fix ?? "", /StringLike/)
  })

  it("may be all of an account's", () => {
    assert.deepEqual(
      relyingParty
        .records({
          RoleDetailList: [
            { RoleName: "reader", AssumeRolePolicyDocument: policy },
            { RoleName: "lambda", AssumeRolePolicyDocument: { Statement: [] } }
          ]
        })
        .map(({ name }) => name),
      ["reader"]
    )
  })

  it("that allow something else are told", () => {
    const [record] = relyingParty.records({
      ...policy,
      Statement: { ...statement, Action: ["sts:AssumeRole"] }
    })
    assert.strictEqual(record?.problems?.length, 1)
  })

  it.each([null, 7, {}, { Statement: 7 }, { Statement: [{ ...statement, Effect: "Deny" }] }, []])(
    "are nothing else: %j",
    (document) => {
      assert.deepEqual(relyingParty.records(document), [])
    }
  )
})

describe("OIDC providers", () => {
  it("are read as AWS prints them, without the scheme", () => {
    assert.deepEqual(shown({ Url: issuer, ClientIDList: ["a", "b"], ThumbprintList: [] }), [
      ["iss", "equals", `https://${issuer}`],
      ["aud", "equals", "a", "b"]
    ])
  })
})

describe("errors", () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const assertion = Result.getOrThrow(
    Assertion.fromJwt(
      Redacted.make(
        `${part({ alg: "RS256" })}.${part({ iss: `https://${issuer}`, sub: "repo:o/r:x" })}.AAAA`
      ),
      { obtainedAt: 0 }
    )
  )
  const codes = (said: string) => relyingParty.errors(said, undefined).map(({ code }) => code)

  it("are known without a code, as people paste them", () => {
    const [error, ...more] = relyingParty.errors(
      "Error: Not authorized to perform sts:AssumeRoleWithWebIdentity on arn:aws:iam::123456789012:role/reader",
      assertion
    )
    assert.deepEqual(more, [])
    assert.strictEqual(error?.code, "AccessDenied")
    assert.include(error?.hint, "arn:aws:iam::123456789012:role/reader")
    assert.include(error?.hint, "repo:o/r:x")
  })

  it("are known by the protocol's names and the SDK's", () => {
    assert.deepEqual(
      codes("An error occurred (InvalidIdentityToken) when calling AssumeRoleWithWebIdentity"),
      ["InvalidIdentityToken"]
    )
    assert.deepEqual(codes("InvalidIdentityTokenException: No OpenIDConnect provider found"), [
      "InvalidIdentityToken"
    ])
    assert.deepEqual(codes("ExpiredTokenException"), ["ExpiredTokenException"])
    assert.deepEqual(codes("RegionDisabledException"), ["RegionDisabledException"])
    assert.deepEqual(codes("OutboundWebIdentityFederationDisabledException"), [
      "OutboundWebIdentityFederationDisabledException"
    ])
  })

  it.each([
    ["Not authorized to perform sts:AssumeRoleWithWebIdentity", "AccessDenied"],
    ["No OpenIDConnect provider found in your account for https://i", "InvalidIdentityToken"],
    [
      "Couldn't retrieve verification key from your identity provider,  please",
      "InvalidIdentityToken"
    ],
    [
      "Token expired: current date/time 1 must be before the expiration date/time 0",
      "ExpiredTokenException"
    ],
    ["Packed policy consumes 120% of allotted space", "PackedPolicyTooLarge"]
  ])("are known by their words alone: %s", (said, code) => {
    assert.deepEqual(codes(said), [code])
  })

  it("of others are left to them", () => {
    assert.deepEqual(codes("AccessDeniedException from cognito-identity"), [])
    assert.deepEqual(codes("nothing of the kind"), [])
  })
})
