import { App, CfnParameter, Stack } from "aws-cdk-lib"
import { Match, Template } from "aws-cdk-lib/assertions"
import { ManagedPolicy, OidcProviderNative } from "aws-cdk-lib/aws-iam"
import { expect, it } from "vitest"
import { WebIdentityRole } from "../src/index.ts"
import type { WebIdentityRoleProps } from "../src/index.ts"

const github = {
  issuer: "https://token.actions.githubusercontent.com",
  subject: "repo:octo@583231/app@1296269:ref:refs/heads/main"
}
const host = "token.actions.githubusercontent.com"

const make = (props: Partial<WebIdentityRoleProps> = {}) => {
  const stack = new Stack(new App(), "Test")
  return { stack, role: new WebIdentityRole(stack, "Deployer", { ...github, ...props }) }
}

const trust = (provider: unknown, audience = "sts.amazonaws.com") => ({
  AssumeRolePolicyDocument: {
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: { Federated: provider },
        Condition: {
          StringEquals: { [`${host}:aud`]: audience, [`${host}:sub`]: github.subject }
        }
      }
    ]
  }
})

it("trusts one subject of the issuer, for one audience", () => {
  const template = Template.fromStack(make().stack)
  template.hasResourceProperties("AWS::IAM::OIDCProvider", {
    Url: github.issuer,
    ClientIdList: ["sts.amazonaws.com"]
  })
  template.hasResourceProperties(
    "AWS::IAM::Role",
    trust({ Ref: Match.stringLikeRegexp("^DeployerProvider") })
  )
})

it("takes the account's provider, where there is one", () => {
  const stack = new Stack(new App(), "Test")
  const arn = `arn:aws:iam::123456789012:oidc-provider/${host}`
  const provider = OidcProviderNative.fromOidcProviderArn(stack, "GitHub", arn)
  new WebIdentityRole(stack, "Deployer", { ...github, audience: "octo", provider })
  const template = Template.fromStack(stack)
  template.resourceCountIs("AWS::IAM::OIDCProvider", 0)
  template.hasResourceProperties("AWS::IAM::Role", trust(arn, "octo"))
})

it("is a role like any other, and puts out what the assertion must say", () => {
  const { role, stack } = make({ roleName: "deployer", description: "Deploys" })
  role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName("ReadOnlyAccess"))
  const template = Template.fromStack(stack)
  template.hasResourceProperties("AWS::IAM::Role", {
    RoleName: "deployer",
    Description: "Deploys",
    ManagedPolicyArns: Match.anyValue()
  })
  for (const value of [github.issuer, github.subject, "sts.amazonaws.com"])
    template.hasOutput("*", { Value: value })
})

it.each([
  [{ subject: "repo:octo/app:*" }, /^subject: .* nothing in it is a wildcard/],
  [{ subject: "" }, /^subject/],
  [{ issuer: "http://issuer.example" }, /^issuer: "http:\/\/issuer.example" will not do/],
  [{ issuer: "issuer.example" }, /^issuer/],
  [{ issuer: `https://${"x".repeat(248)}` }, /^issuer/]
])("refuses %j before anything is deployed", (props, message) => {
  expect(() => make(props)).toThrow(message)
})

it("needs to know the issuer, whose name is in the conditions' keys, before anything is deployed", () => {
  const stack = new Stack(new App(), "Test")
  const issuer = new CfnParameter(stack, "Where").valueAsString
  expect(() => new WebIdentityRole(stack, "Deployer", { ...github, issuer })).toThrow(
    "known only when it is deployed"
  )
})
