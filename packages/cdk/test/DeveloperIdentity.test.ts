import { App, Stack } from "aws-cdk-lib"
import { Annotations, Match, Template } from "aws-cdk-lib/assertions"
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam"
import { expect, it } from "vitest"
import { DeveloperIdentity } from "../src/index.ts"
import type { DeveloperIdentityProps } from "../src/index.ts"

const make = (props: Partial<DeveloperIdentityProps> = {}, region = "us-east-1") => {
  const stack = new Stack(new App(), "Test", { env: { region, account: "123456789012" } })
  const identity = new DeveloperIdentity(stack, "Identity", {
    developerProviderName: "my.dev.provider",
    userId: "my_user_id",
    ...props
  })
  return { stack, identity }
}

const poolArn = {
  "Fn::Join": [
    "",
    [
      "arn:",
      { Ref: "AWS::Partition" },
      ":cognito-identity:us-east-1:123456789012:identitypool/",
      { Ref: Match.stringLikeRegexp("^IdentityPool") }
    ]
  ]
}
const statement = {
  Effect: "Allow",
  Action: ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:GetId"],
  Resource: poolArn
}

it("makes a pool of one developer provider, without guests", () => {
  const template = Template.fromStack(make({ identityPoolName: "federate" }).stack)
  template.hasResourceProperties("AWS::Cognito::IdentityPool", {
    IdentityPoolName: "federate",
    AllowUnauthenticatedIdentities: false,
    DeveloperProviderName: "my.dev.provider"
  })
})

it("makes the identity, keeps of it what is no secret, and logs none of it", () => {
  const template = Template.fromStack(make().stack)
  const [resource] = Object.values(template.findResources("Custom::DeveloperIdentity"))
  for (const when of ["Create", "Update"]) {
    const call = JSON.stringify(resource!["Properties"][when])
    expect(call).toContain("GetOpenIdTokenForDeveloperIdentity")
    expect(call).toContain(String.raw`\"TokenDuration\":1`)
    expect(call).toContain(String.raw`\"outputPaths\":[\"IdentityId\"]`)
    expect(call).toContain(String.raw`\"logApiResponseData\":false`)
  }
})

it("lets nobody ask for tokens but who was granted it, and its own making", () => {
  const { identity, stack } = make()
  Template.fromStack(stack).resourceCountIs("AWS::IAM::Policy", 1)
  const other = make()
  const role = new Role(other.stack, "Workload", {
    assumedBy: new ServicePrincipal("lambda.amazonaws.com")
  })
  other.identity.grant(role)
  const template = Template.fromStack(other.stack)
  template.resourceCountIs("AWS::IAM::Policy", 2)
  template.allResourcesProperties("AWS::IAM::Policy", {
    PolicyDocument: { Statement: [statement] }
  })
  template.hasResourceProperties("AWS::IAM::Policy", {
    Roles: [{ Ref: Match.stringLikeRegexp("^Workload") }]
  })
  expect(identity.audience).toBe(identity.identityPoolId)
})

it("puts out what the other half must name", () => {
  const template = Template.fromStack(make().stack)
  template.hasOutput("*", { Value: "https://cognito-identity.amazonaws.com" })
  template.hasOutput("*", { Value: { Ref: Match.stringLikeRegexp("^IdentityPool") } })
  template.hasOutput("*", {
    Value: { "Fn::GetAtt": [Match.stringLikeRegexp("^Identity"), "IdentityId"] }
  })
})

it("says where the issuer is another one", () => {
  const warnings = (region: string) =>
    Annotations.fromStack(make({}, region).stack).findWarning(
      "*",
      Match.stringLikeRegexp("read it from a token")
    ).length
  expect([warnings("us-east-1"), warnings("us-gov-west-1"), warnings("cn-north-1")]).toEqual([
    0, 1, 1
  ])
})

it.each([
  [{ developerProviderName: "my provider" }, /^developerProviderName: "my provider"/],
  [{ developerProviderName: "" }, /^developerProviderName/],
  [{ userId: "" }, /^userId/],
  [{ userId: "x".repeat(1025) }, /^userId/]
])("refuses %j", (props, message) => {
  expect(() => make(props)).toThrow(message)
})
