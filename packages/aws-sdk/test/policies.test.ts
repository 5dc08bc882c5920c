import { assert, describe, it } from "@effect/vitest"
import { fits, grantsOf } from "../src/policies.ts"

const action = "sts:GetWebIdentityToken"
const statement = { Effect: "Allow", Action: action, Resource: "*" }
const policy = { Version: "2012-10-17", Statement: [statement] }

const holders = (document: unknown) =>
  grantsOf(document, action).map(({ holder, policy: name }) => [holder, name])

describe("policies", () => {
  it.each<readonly [string, unknown, ReadonlyArray<ReadonlyArray<string | undefined>>]>([
    ["by themselves", policy, [[undefined, undefined]]],
    ["of one statement", { Statement: statement }, [[undefined, undefined]]],
    [
      "of a role",
      { RoleName: "reader", PolicyName: "mint", PolicyDocument: policy },
      [["role reader", "mint"]]
    ],
    [
      "of a user",
      { UserName: "ann", PolicyName: "mint", PolicyDocument: policy },
      [["user ann", "mint"]]
    ],
    [
      "of a version",
      { PolicyVersion: { Document: policy, VersionId: "v1" } },
      [[undefined, undefined]]
    ],
    [
      "of an account",
      {
        RoleDetailList: [
          {
            RoleName: "reader",
            RolePolicyList: [{ PolicyName: "own", PolicyDocument: policy }],
            AttachedManagedPolicies: []
          },
          { RoleName: "writer", AttachedManagedPolicies: [{ PolicyArn: "arn:mint" }] }
        ],
        GroupDetailList: [
          { GroupName: "team", AttachedManagedPolicies: [{ PolicyArn: "arn:mint" }] }
        ],
        Policies: [
          {
            Arn: "arn:mint",
            PolicyName: "mint",
            PolicyVersionList: [
              { Document: policy, IsDefaultVersion: true },
              { Document: policy, IsDefaultVersion: false }
            ]
          }
        ]
      },
      [
        ["role reader", "own"],
        ["role writer", "mint"],
        ["group team", "mint"]
      ]
    ]
  ])("are read %s", (_, document, expected) => {
    assert.deepEqual(holders(document), expected)
  })

  it.each([
    [{ Action: ["s3:*", "STS:getwebidentitytoken"] }, true],
    [{ Action: "sts:Get*" }, true],
    [{ Action: "*" }, true],
    [{ Action: undefined, NotAction: "s3:*" }, true],
    [{ Action: undefined, NotAction: "sts:*" }, false],
    [{ Action: "sts:AssumeRole" }, false],
    [{ Effect: "Deny" }, false],
    // A role's trust policy, or a resource's own.
    [{ Principal: "*" }, false]
  ])("allow what they say: %j", (changed, isAllowed) => {
    const document = JSON.parse(JSON.stringify({ Statement: { ...statement, ...changed } }))
    assert.strictEqual(grantsOf(document, action).length === 1, isAllowed)
  })

  it.each([null, 7, "x", [], {}, { Statement: 7 }, { Statement: [null] }, { RoleDetailList: [7] }])(
    "are nothing else: %j",
    (document) => {
      assert.deepEqual(grantsOf(document, action), [])
    }
  )
})

describe("ARNs with wildcards", () => {
  it.each([
    ["*", "arn:aws:x", true],
    ["arn:aws:*", "arn:aws:x", true],
    ["arn:aws:?", "arn:aws:x", true],
    ["arn:aws:x", "arn:aws:X", false],
    ["arn.aws:x", "arn:aws:x", false]
  ])("%s, %s: %s", (pattern, arn, expected) => {
    assert.strictEqual(fits(pattern, arn), expected)
  })
})
