import { CreateIdentityPoolCommand } from "@aws-sdk/client-cognito-identity"
import {
  AddClientIDToOpenIDConnectProviderCommand,
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  DisableOutboundWebIdentityFederationCommand,
  EnableOutboundWebIdentityFederationCommand,
  GetOpenIDConnectProviderCommand,
  GetOutboundWebIdentityFederationInfoCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListOpenIDConnectProvidersCommand,
  ListOpenIDConnectProviderTagsCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  ListUsersCommand,
  PutRolePolicyCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  TagOpenIDConnectProviderCommand,
  TagRoleCommand,
  UntagOpenIDConnectProviderCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand
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
    const { message, name } = await refusal(iamClient(sandbox()).send(new ListUsersCommand({})))
    assert.strictEqual(name, "InvalidAction")
    assert.match(message, /Could not find operation ListUsers for version 2010-05-08/)
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

const another = (RoleName: string) =>
  iamClient(sandbox()).send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))

describe("tags", () => {
  it("are put on roles when they are made and later, whatever their case, and taken off", async () => {
    const client = iamClient(sandbox())
    const RoleName = "tagged"
    const made = await client.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: trust,
        Description: "A role",
        Tags: [{ Key: "federate", Value: "flow" }]
      })
    )
    assert.deepEqual(made.Role?.Tags, [{ Key: "federate", Value: "flow" }])
    assert.strictEqual(made.Role?.Description, "A role")
    await client.send(
      new TagRoleCommand({
        RoleName,
        Tags: [
          { Key: "Federate", Value: "other" },
          { Key: "team", Value: "" }
        ]
      })
    )
    const tags = async () => (await client.send(new ListRoleTagsCommand({ RoleName }))).Tags
    assert.deepEqual(await tags(), [
      { Key: "Federate", Value: "other" },
      { Key: "team", Value: "" }
    ])
    await client.send(new UntagRoleCommand({ RoleName, TagKeys: ["FEDERATE"] }))
    assert.deepEqual(await tags(), [{ Key: "team", Value: "" }])
  })

  it("are put on providers, too", async () => {
    const client = iamClient(sandbox())
    const { OpenIDConnectProviderArn, Tags } = await client.send(
      new CreateOpenIDConnectProviderCommand({
        Url: "https://tagged.example",
        Tags: [{ Key: "a", Value: "1" }]
      })
    )
    assert.deepEqual(Tags, [{ Key: "a", Value: "1" }])
    await client.send(
      new TagOpenIDConnectProviderCommand({
        OpenIDConnectProviderArn,
        Tags: [{ Key: "b", Value: "2" }]
      })
    )
    await client.send(
      new UntagOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, TagKeys: ["a"] })
    )
    const shown = await client.send(
      new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn })
    )
    const listed = await client.send(
      new ListOpenIDConnectProviderTagsCommand({ OpenIDConnectProviderArn })
    )
    for (const found of [shown.Tags, listed.Tags]) {
      assert.deepEqual(found, [{ Key: "b", Value: "2" }])
    }
    assert.deepEqual(shown.ClientIDList, [])
  })

  it("are refused twice, with a reserved name, too long, or too many", async () => {
    const tag = (...Tags: ReadonlyArray<{ Key: string; Value: string }>) =>
      iamClient(sandbox()).send(new TagRoleCommand({ RoleName: role, Tags: [...Tags] }))
    for (const tags of [
      [
        { Key: "a", Value: "" },
        { Key: "A", Value: "" }
      ],
      [{ Key: "aws:a", Value: "" }],
      [{ Key: "a", Value: "v".repeat(257) }],
      [{ Key: "a?", Value: "" }]
    ]) {
      assert.deepInclude(await refusal(tag(...tags)), { name: "InvalidInputException" })
    }
    const many = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "" }))
    assert.deepInclude(await refusal(tag(...many)), { name: "LimitExceededException" })
  })

  it("take a right of their own", async () => {
    const keys = sandbox().aws.workload
    await put(allow("iam:CreateRole"))
    const create = (Tags?: Array<{ Key: string; Value: string }>) =>
      iamClient(sandbox(), { keys }).send(
        new CreateRoleCommand({
          RoleName: "by-workload",
          AssumeRolePolicyDocument: trust,
          ...(Tags && { Tags })
        })
      )
    assert.match(
      (await refusal(create([{ Key: "a", Value: "b" }]))).message,
      /perform: iam:TagRole/
    )
    await create()
    await remove()
  })
})

describe("a role", () => {
  it("is changed in its description and its longest session", async () => {
    const RoleName = "changed"
    const client = iamClient(sandbox())
    await another(RoleName)
    await client.send(
      new UpdateRoleCommand({ RoleName, Description: "d", MaxSessionDuration: 7200 })
    )
    const { Role } = await client.send(new GetRoleCommand({ RoleName }))
    assert.deepInclude(Role, { Description: "d", MaxSessionDuration: 7200 })
  })

  it("is listed with all others, page by page", async () => {
    const client = iamClient(sandbox())
    const names: Array<string | undefined> = []
    let Marker: string | undefined
    do {
      const page = await client.send(
        new ListRolesCommand({ MaxItems: 2, ...(Marker !== undefined && { Marker }) })
      )
      names.push(...(page.Roles ?? []).map((each) => each.RoleName))
      Marker = page.IsTruncated === true ? page.Marker : undefined
    } while (Marker !== undefined)
    assert.includeMembers(names, [role, "sandbox-administrator"])
    assert.strictEqual(new Set(names).size, names.length)
    const call = client.send(new ListRolesCommand({ Marker: "x" }))
    assert.deepInclude(await refusal(call), { name: "InvalidInputException" })
  })

  it("has a trust policy of at most 2,048 characters", async () => {
    const long = trust.replace("<&'>", "x".repeat(2048))
    const call = iamClient(sandbox()).send(
      new CreateRoleCommand({ RoleName: "long", AssumeRolePolicyDocument: long })
    )
    assert.deepInclude(await refusal(call), { name: "LimitExceededException", status: 409 })
  })
})

describe("managed policies", () => {
  const list = async (RoleName: string) => {
    const client = iamClient(sandbox())
    const { AttachedPolicies } = await client.send(
      new ListAttachedRolePoliciesCommand({ RoleName })
    )
    return AttachedPolicies?.map(({ PolicyArn }) => PolicyArn)
  }

  it("of AWS's are attached, decide what the role may do, and are detached", async () => {
    const client = iamClient(sandbox())
    const workload = iamClient(sandbox(), { keys: sandbox().aws.workload })
    const PolicyArn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    const attachment = { RoleName: role, PolicyArn }
    const get = () => workload.send(new GetRoleCommand({ RoleName: role }))
    assert.deepInclude(await refusal(get()), { name: "AccessDenied" })
    await client.send(new AttachRolePolicyCommand(attachment))
    await client.send(new AttachRolePolicyCommand(attachment))
    await get()
    assert.deepEqual(await list(role), [PolicyArn])
    await client.send(new DetachRolePolicyCommand(attachment))
    assert.deepInclude(await refusal(get()), { name: "AccessDenied" })
    assert.deepInclude(await refusal(client.send(new DetachRolePolicyCommand(attachment))), {
      name: "NoSuchEntityException"
    })
    const unknown = client.send(
      new AttachRolePolicyCommand({ RoleName: role, PolicyArn: `${PolicyArn}s` })
    )
    assert.deepInclude(await refusal(unknown), { name: "NoSuchEntityException", status: 404 })
  })

  it("of one's own are made once, shown, and go when nobody has them", async () => {
    const client = iamClient(sandbox())
    const create = () =>
      client.send(new CreatePolicyCommand({ PolicyName: "own", PolicyDocument: allow("iam:*") }))
    const { Policy } = await create()
    const PolicyArn = Policy?.Arn
    assert.strictEqual(PolicyArn, `arn:aws:iam::${sandbox().aws.accountId}:policy/own`)
    assert.deepInclude(await refusal(create()), { name: "EntityAlreadyExistsException" })
    await another("holder")
    await client.send(new AttachRolePolicyCommand({ RoleName: "holder", PolicyArn }))
    const shown = await client.send(new GetPolicyCommand({ PolicyArn }))
    assert.strictEqual(shown.Policy?.AttachmentCount, 1)
    const written = await client.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" }))
    assert.strictEqual(decodeURIComponent(written.PolicyVersion?.Document ?? ""), allow("iam:*"))
    const drop = () => client.send(new DeletePolicyCommand({ PolicyArn }))
    assert.deepInclude(await refusal(drop()), { name: "DeleteConflictException" })
    assert.match(
      (await refusal(client.send(new DeleteRoleCommand({ RoleName: "holder" })))).message,
      /must detach all policies first/
    )
    await client.send(new DetachRolePolicyCommand({ RoleName: "holder", PolicyArn }))
    await drop()
    assert.deepInclude(await refusal(drop()), { name: "NoSuchEntityException" })
  })

  it("are ten for a role", async () => {
    const client = iamClient(sandbox())
    await another("full")
    for (let index = 0; index <= 10; index++) {
      const { Policy } = await client.send(
        new CreatePolicyCommand({ PolicyName: `p${index}`, PolicyDocument: allow("s3:*") })
      )
      const attach = client.send(
        new AttachRolePolicyCommand({ RoleName: "full", PolicyArn: Policy?.Arn })
      )
      if (index < 10) await attach
      else assert.deepInclude(await refusal(attach), { name: "LimitExceededException" })
    }
  })

  it("stand beside inline ones, which are listed by themselves", async () => {
    const client = iamClient(sandbox())
    await another("inline")
    await put(allow("s3:*"), "p", "inline")
    const { PolicyNames } = await client.send(new ListRolePoliciesCommand({ RoleName: "inline" }))
    assert.deepEqual(PolicyNames, ["p"])
    assert.deepEqual(await list("inline"), [])
  })
})

describe("a provider's audiences", () => {
  it("are taken out, there or not", async () => {
    const client = iamClient(sandbox())
    const { OpenIDConnectProviderArn } = await client.send(
      new CreateOpenIDConnectProviderCommand({
        Url: "https://clients.example",
        ClientIDList: ["a", "b"]
      })
    )
    for (const ClientID of ["a", "a"]) {
      await client.send(
        new RemoveClientIDFromOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID })
      )
    }
    const { ClientIDList } = await client.send(
      new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn })
    )
    assert.deepEqual(ClientIDList, ["b"])
  })
})
