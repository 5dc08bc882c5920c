import { CreateIdentityPoolCommand } from "@aws-sdk/client-cognito-identity"
import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DisableOutboundWebIdentityFederationCommand,
  EnableOutboundWebIdentityFederationCommand,
  GetOpenIDConnectProviderCommand,
  GetOutboundWebIdentityFederationInfoCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListOpenIDConnectProvidersCommand,
  ListRolesCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand
} from "@aws-sdk/client-iam"
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { Fault } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { cognitoClient, refusal } from "../aws.ts"
import { iamClient } from "../iam.ts"
import { running } from "../running.ts"

const sandbox = running({ setup: "empty" })

const role = "federate-workload"

const allow = (Action: string, Resource = "*") =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] })

const put = (PolicyDocument: string, PolicyName = "p", RoleName = role) =>
  iamClient(sandbox()).send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))

const remove = (PolicyName = "p") =>
  iamClient(sandbox()).send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName }))

const trust = `{ "Statement": {"Sid": "<&'>", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"} }`

describe("roles", () => {
  it("are made, shown, and made only once", async () => {
    const create = () =>
      iamClient(sandbox()).send(
        new CreateRoleCommand({
          RoleName: "another",
          AssumeRolePolicyDocument: trust
        })
      )
    const { Role } = await create()
    assert.strictEqual(Role?.Arn, `arn:aws:iam::${sandbox().aws.accountId}:role/another`)
    assert.match(Role?.RoleId ?? "", /^AROA[A-Z2-7]{17}$/)
    assert.instanceOf(Role?.CreateDate, Date)
    const shown = await iamClient(sandbox()).send(new GetRoleCommand({ RoleName: "another" }))
    assert.strictEqual(decodeURIComponent(shown.Role?.AssumeRolePolicyDocument ?? ""), trust)
    assert.deepInclude(await refusal(create()), {
      name: "EntityAlreadyExistsException",
      status: 409
    })
  })

  it("are not made from what is no JSON", async () => {
    const call = iamClient(sandbox()).send(
      new CreateRoleCommand({ RoleName: "bad", AssumeRolePolicyDocument: "{" })
    )
    assert.deepInclude(await refusal(call), { name: "MalformedPolicyDocumentException" })
  })

  it("are not found when they are not there", async () => {
    const call = iamClient(sandbox()).send(new GetRoleCommand({ RoleName: "nobody" }))
    assert.deepEqual(await refusal(call), {
      name: "NoSuchEntityException",
      message: "The role with name nobody cannot be found.",
      status: 404
    })
  })
})

describe("inline policies", () => {
  it("are put, shown to the letter, and deleted", async () => {
    const document = `{ "Statement": {"Effect":"Allow","Action":"iam:Get*","Resource":"*"} }`
    await put(document)
    const shown = await iamClient(sandbox()).send(
      new GetRolePolicyCommand({ RoleName: role, PolicyName: "p" })
    )
    assert.strictEqual(decodeURIComponent(shown.PolicyDocument ?? ""), document)
    await remove()
    assert.deepEqual(await refusal(remove()), {
      name: "NoSuchEntityException",
      message: "The role policy with name p cannot be found.",
      status: 404
    })
    const again = iamClient(sandbox()).send(
      new GetRolePolicyCommand({ RoleName: role, PolicyName: "p" })
    )
    assert.deepInclude(await refusal(again), { name: "NoSuchEntityException" })
  })

  it("are refused when the sandbox cannot evaluate them", async () => {
    const document = JSON.stringify({
      Statement: {
        Effect: "Allow",
        Action: "*",
        Resource: "*",
        Condition: { ArnLike: { "aws:SourceArn": "*" } }
      }
    })
    const { message, name, status } = await refusal(put(document))
    assert.strictEqual(name, "MalformedPolicyDocumentException")
    assert.strictEqual(status, 400)
    assert.match(message, /condition operator ArnLike/)
  })

  it("are refused over 10,240 characters, white space not counted", async () => {
    const long = (blanks: string) =>
      JSON.stringify({
        Statement: {
          Effect: "Allow",
          Action: "*",
          Resource: `arn:aws:s3:::${"x".repeat(10_200)}`
        }
      }).replace("{", `{${blanks}`)
    assert.deepInclude(await refusal(put(long(""))), {
      name: "LimitExceededException",
      status: 409
    })
    await put(allow("iam:GetRole").replace("{", `{${" ".repeat(20_000)}`), "spacious")
    await remove("spacious")
  })

  it("are refused with a name that breaks the constraints, and all of them are told", async () => {
    const { message, name } = await refusal(put(allow("*"), "a b", "c d"))
    assert.strictEqual(name, "ValidationError")
    assert.match(message, /^2 validation errors detected: .*'roleName'.*; .*'policyName'/)
  })

  it("decide what their role may do", async () => {
    const create = () =>
      cognitoClient(sandbox(), { keys: sandbox().aws.workload }).send(
        new CreateIdentityPoolCommand({
          IdentityPoolName: "x",
          AllowUnauthenticatedIdentities: false
        })
      )
    const before = await refusal(create())
    assert.strictEqual(before.name, "AccessDeniedException")
    assert.strictEqual(
      before.message,
      `User: arn:aws:sts::${sandbox().aws.accountId}:assumed-role/${role}/sandbox is not authorized to perform: cognito-identity:CreateIdentityPool on resource: * because no identity-based policy allows the cognito-identity:CreateIdentityPool action`
    )
    await put(allow("cognito-identity:Create*"))
    await create()
    const deny = allow("cognito-identity:CreateIdentityPool").replace("Allow", "Deny")
    await put(deny, "deny")
    assert.match((await refusal(create())).message, /with an explicit deny/)
    await remove("deny")
    await create()
    await remove()
  })

  it("decide over IAM itself", async () => {
    const workload = iamClient(sandbox(), { keys: sandbox().aws.workload })
    const denied = await refusal(workload.send(new GetRoleCommand({ RoleName: role })))
    assert.deepInclude(denied, { name: "AccessDenied", status: 403 })
    assert.match(
      denied.message,
      /is not authorized to perform: iam:GetRole on resource: role federate-workload because/
    )
    await put(allow("iam:GetRole", sandbox().aws.workload.roleArn))
    await workload.send(new GetRoleCommand({ RoleName: role }))
    assert.deepInclude(
      await refusal(workload.send(new GetRoleCommand({ RoleName: "sandbox-administrator" }))),
      { name: "AccessDenied" }
    )
    await remove()
  })
})

describe("the Query protocol", () => {
  it("refuses an action that is not stood in for", async () => {
    const { message, name } = await refusal(iamClient(sandbox()).send(new ListRolesCommand({})))
    assert.strictEqual(name, "InvalidAction")
    assert.match(message, /Could not find operation ListRoles for version 2010-05-08/)
  })

  it("fails in its own words when a fault says so", async () => {
    const get = () => iamClient(sandbox()).send(new GetRoleCommand({ RoleName: role }))
    const lift = sandbox().fault("iam.GetRole", Fault.throttled(), { first: 1 })
    assert.deepInclude(await refusal(get()), { name: "Throttling", status: 400 })
    lift()
    sandbox().fault("iam.*", Fault.status(503), { first: 1 })
    assert.deepInclude(await refusal(get()), { name: "ServiceFailureException", status: 503 })
    await get()
  })
})

describe("STS", () => {
  it("tells who a key is", async () => {
    const { aws, http } = sandbox()
    const client = new STSClient({ endpoint: http, region: aws.region, credentials: aws.workload })
    const { Account, Arn, UserId } = await client.send(new GetCallerIdentityCommand({}))
    assert.strictEqual(Account, aws.accountId)
    assert.strictEqual(Arn, `arn:aws:sts::${aws.accountId}:assumed-role/${role}/sandbox`)
    assert.match(UserId ?? "", /^AROA[A-Z2-7]{17}:sandbox$/)
    assert.strictEqual(sandbox().count("sts.GetCallerIdentity"), 1)
  })
})

describe("trust policies", () => {
  const create = (RoleName: string, AssumeRolePolicyDocument: string) =>
    iamClient(sandbox()).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))

  it("are read when they are written, and changed", async () => {
    assert.deepInclude(await refusal(create("bad", "{}")), {
      name: "MalformedPolicyDocumentException",
      status: 400
    })
    await create("changing", trust)
    const PolicyDocument = trust.replace("Allow", "Deny")
    const update = (document: string) =>
      iamClient(sandbox()).send(
        new UpdateAssumeRolePolicyCommand({ RoleName: "changing", PolicyDocument: document })
      )
    await update(PolicyDocument)
    assert.deepInclude(await refusal(update("{")), { name: "MalformedPolicyDocumentException" })
    const { Role } = await iamClient(sandbox()).send(new GetRoleCommand({ RoleName: "changing" }))
    assert.strictEqual(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""), PolicyDocument)
  })

  it("go with their role, which goes without policies alone", async () => {
    const RoleName = "passing"
    const drop = () => iamClient(sandbox()).send(new DeleteRoleCommand({ RoleName }))
    await create(RoleName, trust)
    await put(allow("s3:*"), "p", RoleName)
    assert.deepInclude(await refusal(drop()), { name: "DeleteConflictException", status: 409 })
    await iamClient(sandbox()).send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "p" }))
    await drop()
    assert.deepInclude(await refusal(drop()), { name: "NoSuchEntityException", status: 404 })
  })
})

describe("OpenID providers", () => {
  const make = (Url: string, ClientIDList: Array<string> = ["sts.amazonaws.com"]) =>
    iamClient(sandbox()).send(new CreateOpenIDConnectProviderCommand({ Url, ClientIDList }))

  it("are made once for each URL as it is written, shown, listed, given clients, and deleted", async () => {
    const { OpenIDConnectProviderArn: arn } = await make("https://issuer.example/path")
    assert.strictEqual(arn, "arn:aws:iam::111122223333:oidc-provider/issuer.example/path")
    assert.deepInclude(await refusal(make("https://issuer.example/path")), {
      name: "EntityAlreadyExistsException",
      status: 409
    })
    const { OpenIDConnectProviderArn: other } = await make("https://issuer.example/path/")
    assert.strictEqual(other, `${arn}/`)
    await iamClient(sandbox()).send(
      new AddClientIDToOpenIDConnectProviderCommand({
        OpenIDConnectProviderArn: arn,
        ClientID: "another"
      })
    )
    const get = () =>
      iamClient(sandbox()).send(
        new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn })
      )
    assert.deepInclude(await get(), {
      Url: "issuer.example/path",
      ClientIDList: ["sts.amazonaws.com", "another"]
    })
    const { OpenIDConnectProviderList: all } = await iamClient(sandbox()).send(
      new ListOpenIDConnectProvidersCommand({})
    )
    assert.deepEqual(
      all?.map(({ Arn }) => Arn),
      [arn, other]
    )
    await iamClient(sandbox()).send(
      new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn })
    )
    assert.deepInclude(await refusal(get()), { name: "NoSuchEntityException", status: 404 })
  })

  it("are of https issuers", async () => {
    const urls = ["http://issuer.example", "issuer.example", "https://issuer.example?a=b"]
    for (const error of await Promise.all(urls.map((url) => refusal(make(url)))))
      assert.deepInclude(error, { name: "InvalidInputException", status: 400 })
  })
})

describe("outbound federation", () => {
  it("is off at first, and is switched on and off, with one issuer for good", async () => {
    const info = () =>
      iamClient(sandbox()).send(new GetOutboundWebIdentityFederationInfoCommand({}))
    const enable = () =>
      iamClient(sandbox()).send(new EnableOutboundWebIdentityFederationCommand({}))
    const disable = () =>
      iamClient(sandbox()).send(new DisableOutboundWebIdentityFederationCommand({}))
    for (const error of await Promise.all([info, disable].map((call) => refusal(call()))))
      assert.deepInclude(error, { name: "FeatureDisabledException", status: 404 })
    const { IssuerIdentifier } = await enable()
    assert.match(IssuerIdentifier ?? "", /^https:\/\/localhost:\d+\/outbound\/[0-9a-f-]{36}$/)
    assert.deepInclude(await refusal(enable()), { name: "FeatureEnabledException", status: 409 })
    assert.deepInclude(await info(), { IssuerIdentifier, JwtVendingEnabled: true })
    await disable()
    assert.deepInclude(await refusal(info()), { name: "FeatureDisabledException" })
    assert.strictEqual((await enable()).IssuerIdentifier, IssuerIdentifier)
  })
})
