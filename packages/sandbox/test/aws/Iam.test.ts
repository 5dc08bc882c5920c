import { CreateIdentityPoolCommand } from "@aws-sdk/client-cognito-identity"
import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListRolesCommand,
  PutRolePolicyCommand
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

describe("roles", () => {
  it("are made, shown, and made only once", async () => {
    const create = () =>
      iamClient(sandbox()).send(
        new CreateRoleCommand({
          RoleName: "another",
          AssumeRolePolicyDocument: `{"Statement": [{"Sid": "<&'>"}]}`
        })
      )
    const { Role } = await create()
    assert.strictEqual(Role?.Arn, `arn:aws:iam::${sandbox().aws.accountId}:role/another`)
    assert.match(Role?.RoleId ?? "", /^AROA[A-Z2-7]{17}$/)
    assert.instanceOf(Role?.CreateDate, Date)
    const shown = await iamClient(sandbox()).send(new GetRoleCommand({ RoleName: "another" }))
    assert.strictEqual(
      decodeURIComponent(shown.Role?.AssumeRolePolicyDocument ?? ""),
      `{"Statement": [{"Sid": "<&'>"}]}`
    )
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
      Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition: {} }
    })
    const { message, name, status } = await refusal(put(document))
    assert.strictEqual(name, "MalformedPolicyDocumentException")
    assert.strictEqual(status, 400)
    assert.match(message, /Condition/)
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
