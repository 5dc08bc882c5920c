import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Policy from "../../src/aws/Policy.ts"

const pool = "arn:aws:cognito-identity:us-east-1:111122223333:identitypool/us-east-1:abc"

const statements = (...all: ReadonlyArray<unknown>) =>
  Result.getOrThrow(Policy.parse(JSON.stringify({ Version: "2012-10-17", Statement: all })))

describe("Policy.evaluate", () => {
  const decide = (policy: ReadonlyArray<Policy.Statement>, action = "cognito-identity:GetId") =>
    Policy.evaluate(policy, action, pool)

  it("allows what a statement names", () => {
    const policy = statements({
      Sid: "one",
      Effect: "Allow",
      Action: ["cognito-identity:GetId", "cognito-identity:GetOpenIdToken"],
      Resource: [pool]
    })
    assert.strictEqual(decide(policy), "allowed")
    assert.strictEqual(decide(policy, "cognito-identity:DescribeIdentityPool"), "not allowed")
    assert.strictEqual(Policy.evaluate(policy, "cognito-identity:GetId", `${pool}d`), "not allowed")
  })

  it("takes * for any text and ? for one character", () => {
    const allow = (Action: string, Resource: string) =>
      decide(statements({ Effect: "Allow", Action, Resource }))
    assert.strictEqual(allow("*", "*"), "allowed")
    assert.strictEqual(allow("cognito-identity:Get*", pool.replace("abc", "*")), "allowed")
    assert.strictEqual(allow("cognito-identity:Get??", pool.replace("abc", "a?c")), "allowed")
    assert.strictEqual(allow("cognito-identity:Get?", "*"), "not allowed")
    // A dot is a dot.
    assert.strictEqual(allow("*", pool.replace("us-east-1:abc", "us.east.1:abc")), "not allowed")
  })

  it("compares actions without regard to case, resources to the letter", () => {
    const allow = (Action: string, Resource: string) =>
      decide(statements({ Effect: "Allow", Action, Resource }))
    assert.strictEqual(allow("Cognito-Identity:getid", "*"), "allowed")
    assert.strictEqual(allow("*", pool.replace("abc", "ABC")), "not allowed")
  })

  it("lets an explicit Deny win", () => {
    const policy = statements(
      { Effect: "Allow", Action: "*", Resource: "*" },
      { Effect: "Deny", Action: "cognito-identity:GetId", Resource: pool }
    )
    assert.strictEqual(decide(policy), "denied")
    assert.strictEqual(decide(policy, "cognito-identity:Other"), "allowed")
  })

  it("allows nothing without a statement", () => {
    assert.strictEqual(decide([]), "not allowed")
  })
})

describe("Policy.parse", () => {
  const statement = { Effect: "Allow", Action: "iam:GetRole", Resource: "*" }

  it.each<readonly [what: string, document: unknown, problem: RegExp]>([
    ["text that is no JSON", "{", /Syntax errors/],
    ["a list", [], /Syntax errors/],
    ["no statement", {}, /Syntax errors/],
    ["an unknown version", { Version: "2020-01-01", Statement: statement }, /Syntax errors/],
    ["an id that is no text", { Id: 1, Statement: statement }, /Syntax errors/],
    ["an unknown element", { Statement: statement, Foo: 1 }, /Syntax errors/],
    ["a statement that is no object", { Statement: "x" }, /Syntax errors/],
    ["an unknown element in a statement", { Statement: { ...statement, Foo: 1 } }, /Syntax errors/],
    ["a Sid that is no text", { Statement: { ...statement, Sid: 1 } }, /Syntax errors/],
    ["another effect", { Statement: { ...statement, Effect: "Maybe" } }, /Syntax errors/],
    [
      "an operator that is not evaluated",
      { Statement: { ...statement, Condition: { ArnLike: { "aws:SourceArn": "*" } } } },
      /does not evaluate the condition operator ArnLike/
    ],
    [
      "a condition that is no block",
      { Statement: { ...statement, Condition: { StringEquals: "x" } } },
      /Syntax errors/
    ],
    [
      "conditions that are no object",
      { Statement: { ...statement, Condition: "x" } },
      /Syntax errors/
    ],
    [
      "a condition key without a vendor",
      { Statement: { ...statement, Condition: { StringEquals: { key: "x" } } } },
      /prefaced by a vendor/
    ],
    [
      "a condition's value that is no text",
      { Statement: { ...statement, Condition: { StringEquals: { "a:b": {} } } } },
      /Syntax errors/
    ],
    [
      "a variable in a condition",
      { Statement: { ...statement, Condition: { StringEquals: { "a:b": "${aws:x}" } } } },
      /policy variables/
    ],
    ["a NotAction", { Statement: { Effect: "Allow", NotAction: "*" } }, /evaluate NotAction/],
    ["a NotResource", { Statement: { Effect: "Allow", NotResource: "*" } }, /NotResource/],
    [
      "a principal",
      { Statement: { ...statement, Principal: "*" } },
      /should not specify a principal/
    ],
    ["no action", { Statement: { Effect: "Allow", Resource: "*" } }, /must contain actions/],
    [
      "an action without a vendor",
      { Statement: { ...statement, Action: "GetRole" } },
      /prefaced by a vendor/
    ],
    ["no resource", { Statement: { Effect: "Allow", Action: "*" } }, /must contain resources/],
    [
      "an empty list of resources",
      { Statement: { ...statement, Resource: [] } },
      /must contain resources/
    ],
    [
      "a resource that is no ARN",
      { Statement: { ...statement, Resource: "pool" } },
      /Resource pool must be in ARN format/
    ],
    [
      "a variable",
      { Statement: { ...statement, Resource: "arn:aws:s3:::${aws:username}" } },
      /policy variables/
    ]
  ])("refuses %s", (_, document, problem) => {
    const text = typeof document === "string" ? document : JSON.stringify(document)
    const parsed = Policy.parse(text)
    assert.isTrue(Result.isFailure(parsed))
    assert.match(Result.isFailure(parsed) ? parsed.failure : "", problem)
  })
})

describe("Policy.parseTrust", () => {
  const provider = "arn:aws:iam::111122223333:oidc-provider/issuer.example"
  const statement = {
    Effect: "Allow",
    Principal: { Federated: provider },
    Action: "sts:AssumeRoleWithWebIdentity"
  }
  const parse = (value: unknown) => Policy.parseTrust(JSON.stringify({ Statement: value }))

  it("reads whom a role lets in", () => {
    const policy = Result.getOrThrow(
      parse([
        { ...statement, Principal: { Federated: [provider, "cognito-identity.amazonaws.com"] } },
        { ...statement, Principal: { AWS: "111122223333", Service: "lambda.amazonaws.com" } }
      ])
    )
    const decide = (who: string) =>
      Policy.evaluateTrust(policy, "sts:AssumeRoleWithWebIdentity", who, {})
    assert.strictEqual(decide(provider), "allowed")
    assert.strictEqual(decide("cognito-identity.amazonaws.com"), "allowed")
    assert.strictEqual(decide(`${provider}/`), "not allowed")
    assert.strictEqual(decide("lambda.amazonaws.com"), "not allowed")
  })

  it.each<readonly [string, unknown, RegExp]>([
    ["a resource", { ...statement, Resource: "*" }, /prohibited field Resource/],
    ["nobody", { Effect: "Allow", Action: "sts:*" }, /Missing required field Principal/],
    ["everybody", { ...statement, Principal: "*" }, /Missing required field Principal/],
    ["another kind of principal", { ...statement, Principal: { User: "x" } }, /Syntax errors/],
    ["a principal that is no text", { ...statement, Principal: { AWS: 1 } }, /Syntax errors/],
    [
      "a provider by its URL",
      { ...statement, Principal: { Federated: "https://issuer.example" } },
      /Invalid principal/
    ],
    ["all but one", { ...statement, NotPrincipal: {} }, /does not evaluate NotPrincipal/],
    ["an unknown element", { ...statement, Foo: 1 }, /Syntax errors/]
  ])("refuses %s", (_, value, problem) => {
    const parsed = parse(value)
    assert.isTrue(Result.isFailure(parsed))
    assert.match(Result.isFailure(parsed) ? parsed.failure : "", problem)
  })
})
