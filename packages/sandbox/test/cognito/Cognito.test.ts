import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  DeleteIdentityPoolCommand,
  DescribeIdentityPoolCommand,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  GetIdentityPoolRolesCommand,
  GetOpenIdTokenCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
  ListIdentityPoolsCommand,
  ListTagsForResourceCommand,
  LookupDeveloperIdentityCommand,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import type {
  GetCredentialsForIdentityInput,
  GetOpenIdTokenForDeveloperIdentityInput,
  LookupDeveloperIdentityInput
} from "@aws-sdk/client-cognito-identity"
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { Fault } from "@federate/sandbox"
import type { TokenOptions } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { decodeJwt } from "jose"
import { cognitoClient, refusal } from "../aws.ts"
import { running } from "../running.ts"
import { createRole, federated, trustIssuer } from "../sts.ts"

const sandbox = running()

const admin = () => cognitoClient(sandbox())

const provider = "my.dev.provider"

/** A pool of its own for each test. */
const createPool = async (options: { guests?: boolean; provider?: string | undefined } = {}) => {
  const pool = await admin().send(
    new CreateIdentityPoolCommand({
      IdentityPoolName: "a pool",
      AllowUnauthenticatedIdentities: options.guests ?? false,
      DeveloperProviderName: "provider" in options ? options.provider : provider
    })
  )
  assert.isDefined(pool.IdentityPoolId)
  return pool.IdentityPoolId
}

const mint = (input: Partial<GetOpenIdTokenForDeveloperIdentityInput>) =>
  admin().send(
    new GetOpenIdTokenForDeveloperIdentityCommand({
      IdentityPoolId: sandbox().env["COGNITO_IDENTITY_POOL_ID"],
      Logins: { [provider]: "my_user_id" },
      ...input
    })
  )

const unknownId = "us-east-1:00000000-0000-4000-8000-000000000000"

describe("identity pools", () => {
  it("are created, described, listed page by page, and deleted", async () => {
    const { IdentityPoolId, ...created } = await admin().send(
      new CreateIdentityPoolCommand({
        IdentityPoolName: "a pool",
        AllowUnauthenticatedIdentities: true,
        AllowClassicFlow: false,
        DeveloperProviderName: "a.b-c_d",
        SupportedLoginProviders: { "accounts.google.com": "x" },
        IdentityPoolTags: { a: "b" }
      })
    )
    assert.match(IdentityPoolId ?? "", /^us-east-1:[0-9a-f-]{36}$/)
    assert.deepInclude(created, {
      IdentityPoolName: "a pool",
      AllowUnauthenticatedIdentities: true,
      AllowClassicFlow: false,
      DeveloperProviderName: "a.b-c_d",
      SupportedLoginProviders: { "accounts.google.com": "x" },
      IdentityPoolTags: { a: "b" }
    })
    const described = await admin().send(new DescribeIdentityPoolCommand({ IdentityPoolId }))
    assert.strictEqual(described.DeveloperProviderName, "a.b-c_d")

    const first = await admin().send(new ListIdentityPoolsCommand({ MaxResults: 1 }))
    const rest = await admin().send(
      new ListIdentityPoolsCommand({ MaxResults: 60, NextToken: first.NextToken })
    )
    assert.isUndefined(rest.NextToken)
    const ids = [...(first.IdentityPools ?? []), ...(rest.IdentityPools ?? [])].map(
      (pool) => pool.IdentityPoolId
    )
    assert.include(ids, IdentityPoolId)
    assert.include(ids, sandbox().env["COGNITO_IDENTITY_POOL_ID"])

    await admin().send(new DeleteIdentityPoolCommand({ IdentityPoolId }))
    assert.deepEqual(
      await refusal(admin().send(new DescribeIdentityPoolCommand({ IdentityPoolId }))),
      {
        name: "ResourceNotFoundException",
        message: `IdentityPool '${IdentityPoolId}' not found.`,
        status: 400
      }
    )
  })

  it("are not found in another region", async () => {
    const IdentityPoolId = sandbox().env["COGNITO_IDENTITY_POOL_ID"]?.replace(
      "us-east-1",
      "eu-west-1"
    )
    const call = admin().send(new DescribeIdentityPoolCommand({ IdentityPoolId }))
    assert.deepInclude(await refusal(call), { name: "ResourceNotFoundException" })
  })

  it("are not listed from a token that is none", async () => {
    const call = admin().send(new ListIdentityPoolsCommand({ MaxResults: 1, NextToken: "x" }))
    assert.deepInclude(await refusal(call), { name: "InvalidParameterException" })
  })
})

describe("inputs", () => {
  it.each<readonly [what: string, call: () => Promise<unknown>, message: RegExp]>([
    [
      "a pool id that is none",
      () => admin().send(new DescribeIdentityPoolCommand({ IdentityPoolId: "pool" })),
      /^1 validation error detected: Value 'pool' at 'identityPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: \[\\w-\]\+:\[0-9a-f-\]\+$/
    ],
    [
      "a pool id that is missing",
      () => admin().send(new DescribeIdentityPoolCommand({ IdentityPoolId: undefined })),
      /^1 validation error detected: Value null at 'identityPoolId' failed to satisfy constraint: Member must not be null$/
    ],
    [
      "several at once",
      () =>
        admin().send(
          new CreateIdentityPoolCommand({
            IdentityPoolName: "#",
            AllowUnauthenticatedIdentities: undefined
          })
        ),
      /^2 validation errors detected: .*'identityPoolName'.*; .*'allowUnauthenticatedIdentities'/
    ],
    [
      "a duration of 0",
      () => mint({ TokenDuration: 0 }),
      /Value '0' at 'tokenDuration' failed to satisfy constraint: Member must have value greater than or equal to 1$/
    ],
    [
      "a duration over a day",
      () => mint({ TokenDuration: 86_401 }),
      /Member must have value less than or equal to 86400$/
    ],
    [
      "an empty user id",
      () => mint({ Logins: { [provider]: "" } }),
      /Value at 'logins' failed to satisfy constraint: Map value must satisfy constraint: \[Member must have length greater than or equal to 1\]$/
    ],
    [
      "a provider's name that is too long",
      () => mint({ Logins: { ["x".repeat(129)]: "x" } }),
      /Map keys must satisfy constraint: \[Member must have length less than or equal to 128\]$/
    ],
    [
      "eleven logins",
      () =>
        mint({
          Logins: Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`p${index}`, "x"]))
        }),
      /Value at 'logins' failed to satisfy constraint: Member must have length less than or equal to 10$/
    ]
  ])("%s is a validation error", async (_, call, message) => {
    const error = await refusal(call())
    assert.deepInclude(error, { name: "ValidationException", status: 400 })
    assert.match(error.message, message)
  })

  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["a wrong type", `{"IdentityPoolId":1}`]
  ])("%s is a serialization error", async (_, body) => {
    const response = await fetch(sandbox().http, {
      method: "POST",
      headers: { "x-amz-target": "AWSCognitoIdentityService.GetId" },
      body
    })
    assert.strictEqual(response.status, 400)
    assert.strictEqual(response.headers.get("x-amzn-errortype"), "SerializationException:")
    assert.match(response.headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/)
    assert.strictEqual(response.headers.get("content-type"), "application/x-amz-json-1.1")
    assert.propertyVal(await response.json(), "__type", "SerializationException")
  })

  it("for an operation that is not stood in for are refused", async () => {
    const call = admin().send(new ListTagsForResourceCommand({ ResourceArn: "x".repeat(20) }))
    assert.deepInclude(await refusal(call), { name: "UnknownOperationException", status: 400 })
    const response = await fetch(sandbox().http, {
      method: "POST",
      headers: { "x-amz-target": "AWSCognitoIdentityService.constructor" }
    })
    assert.propertyVal(await response.json(), "__type", "UnknownOperationException")
  })
})

describe("GetOpenIdTokenForDeveloperIdentity", () => {
  it("works from the variables alone, as any SDK reads them", async () => {
    const { AWS_ENDPOINT_URL_COGNITO_IDENTITY, AWS_REGION } = process.env
    Object.assign(process.env, sandbox().env)
    const client = new CognitoIdentityClient({})
    const { IdentityId, Token } = await client.send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: process.env["COGNITO_IDENTITY_POOL_ID"],
        Logins: { [provider]: "my_user_id" }
      })
    )
    for (const name of Object.keys(sandbox().env)) delete process.env[name]
    Object.assign(
      process.env,
      AWS_REGION && { AWS_REGION },
      AWS_ENDPOINT_URL_COGNITO_IDENTITY && { AWS_ENDPOINT_URL_COGNITO_IDENTITY }
    )
    assert.strictEqual(decodeJwt(Token ?? "").sub, IdentityId)
  })

  it("gives the same identity for the same user id, another for another", async () => {
    const first = await mint({})
    const again = await mint({})
    const other = await mint({ Logins: { [provider]: "another" } })
    assert.strictEqual(again.IdentityId, first.IdentityId)
    assert.notStrictEqual(other.IdentityId, first.IdentityId)
    assert.match(first.IdentityId ?? "", /^us-east-1:[0-9a-f-]{36}$/)
  })

  it("lasts 15 minutes, or as long as asked", async () => {
    const life = ({ exp = 0, iat = 0 }) => exp - iat
    assert.strictEqual(life(decodeJwt((await mint({})).Token ?? "")), 900)
    const { Token } = await mint({ TokenDuration: 60 })
    assert.strictEqual(life(decodeJwt(Token ?? "")), 60)
  })

  it("carries principal tags", async () => {
    const { Token } = await mint({ PrincipalTags: { team: "blue" } })
    assert.deepEqual(decodeJwt(Token ?? "")["https://aws.amazon.com/tags"], {
      principal_tags: { team: ["blue"] }
    })
  })

  it.each<readonly [what: string, Logins: Record<string, string>]>([
    ["another provider's name", { "my.other.provider": "x" }],
    ["the provider's name in another case", { "My.dev.provider": "x" }],
    ["no login", {}]
  ])("refuses %s", async (_, Logins) => {
    assert.deepEqual(await refusal(mint({ Logins })), {
      name: "InvalidParameterException",
      message: "This identity pool does not support the specified developer provider",
      status: 400
    })
  })

  it("refuses any provider on a pool that has none", async () => {
    const IdentityPoolId = await createPool({ provider: undefined })
    assert.deepInclude(await refusal(mint({ IdentityPoolId })), {
      name: "InvalidParameterException"
    })
  })

  it("refuses a public provider beside it, and a user id that is too long", async () => {
    const both = mint({ Logins: { [provider]: "x", "accounts.google.com": "y" } })
    assert.deepInclude(await refusal(both), {
      name: "NotAuthorizedException",
      message: "Token is not from a supported provider of this identity pool."
    })
    assert.deepInclude(await refusal(mint({ Logins: { [provider]: "x".repeat(1025) } })), {
      name: "InvalidParameterException"
    })
  })

  it("links another user id to an identity that is named", async () => {
    const { IdentityId } = await mint({ Logins: { [provider]: "left" } })
    const linked = await mint({ IdentityId, Logins: { [provider]: "right" } })
    assert.strictEqual(linked.IdentityId, IdentityId)
    const again = await mint({ Logins: { [provider]: "right" } })
    assert.strictEqual(again.IdentityId, IdentityId)
  })

  it("refuses a user id that belongs to another identity than the named one", async () => {
    const { IdentityId } = await mint({ Logins: { [provider]: "one" } })
    await mint({ Logins: { [provider]: "two" } })
    const call = mint({ IdentityId, Logins: { [provider]: "two" } })
    assert.deepInclude(await refusal(call), { name: "DeveloperUserAlreadyRegisteredException" })
  })

  it("refuses an identity that is not there", async () => {
    assert.deepEqual(await refusal(mint({ IdentityId: unknownId })), {
      name: "ResourceNotFoundException",
      message: `Identity '${unknownId}' not found.`,
      status: 400
    })
  })

  it("is for the signer's role to allow, on this pool alone", async () => {
    const IdentityPoolId = await createPool()
    const call = cognitoClient(sandbox(), { keys: sandbox().aws.workload }).send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId,
        Logins: { [provider]: "x" }
      })
    )
    const { message, name } = await refusal(call)
    assert.strictEqual(name, "AccessDeniedException")
    assert.include(
      message,
      `on resource: arn:aws:cognito-identity:us-east-1:${sandbox().aws.accountId}:identitypool/${IdentityPoolId} because`
    )
  })
})

describe("LookupDeveloperIdentity", () => {
  const lookUp = (input: Partial<LookupDeveloperIdentityInput>) =>
    admin().send(
      new LookupDeveloperIdentityCommand({
        IdentityPoolId: sandbox().env["COGNITO_IDENTITY_POOL_ID"],
        ...input
      })
    )

  it("finds by user id, by identity, and page by page", async () => {
    const { IdentityId } = await mint({ Logins: { [provider]: "first" } })
    await mint({ IdentityId, Logins: { [provider]: "second" } })
    const byUser = await lookUp({ DeveloperUserIdentifier: "second" })
    assert.strictEqual(byUser.IdentityId, IdentityId)
    assert.deepEqual(byUser.DeveloperUserIdentifierList, ["first", "second"])
    const page = await lookUp({ IdentityId, MaxResults: 1 })
    assert.deepEqual(page.DeveloperUserIdentifierList, ["first"])
    const next = await lookUp({ IdentityId, NextToken: page.NextToken })
    assert.deepEqual(next.DeveloperUserIdentifierList, ["second"])
    const both = await lookUp({ IdentityId, DeveloperUserIdentifier: "first" })
    assert.strictEqual(both.IdentityId, IdentityId)
  })

  it("refuses what does not belong together, is not there, or is not said", async () => {
    const { IdentityId } = await mint({ Logins: { [provider]: "here" } })
    await mint({ Logins: { [provider]: "there" } })
    const names = await Promise.all(
      [
        lookUp({ IdentityId, DeveloperUserIdentifier: "there" }),
        lookUp({ DeveloperUserIdentifier: "nobody" }),
        lookUp({ IdentityId: unknownId }),
        lookUp({})
      ].map(async (call) => (await refusal(call)).name)
    )
    assert.deepEqual(names, [
      "ResourceConflictException",
      "ResourceNotFoundException",
      "ResourceNotFoundException",
      "InvalidParameterException"
    ])
  })
})

describe("GetId", () => {
  const anonymous = (IdentityPoolId: string | undefined, Logins?: Record<string, string>) =>
    new CognitoIdentityClient({
      endpoint: sandbox().http,
      region: "us-east-1",
      maxAttempts: 1
    }).send(new GetIdCommand({ IdentityPoolId, ...(Logins && { Logins }) }))

  it("makes a guest, unsigned, where guests are allowed", async () => {
    const pool = await createPool({ guests: true })
    const first = await anonymous(pool)
    const second = await anonymous(pool)
    assert.match(first.IdentityId ?? "", /^us-east-1:/)
    assert.notStrictEqual(second.IdentityId, first.IdentityId)
  })

  it("refuses everything else in Cognito's words", async () => {
    const pool = await createPool()
    const { Token = "" } = await mint({})
    const errors = await Promise.all(
      [
        anonymous(pool),
        anonymous(pool, { "cognito-identity.amazonaws.com": Token }),
        anonymous(pool, { [provider]: "my_user_id" }),
        anonymous(pool, { "accounts.google.com": "x" })
      ].map(refusal)
    )
    assert.deepEqual(
      errors.map(({ name }) => name),
      Array.from({ length: 4 }, () => "NotAuthorizedException")
    )
    assert.deepEqual(
      errors.map(({ message }) => message),
      [
        "Unauthenticated access is not supported for this identity pool.",
        "Invalid login token. Can't pass in a Cognito token.",
        "Invalid login token. Issuer doesn't match providerName",
        "Token is not from a supported provider of this identity pool."
      ]
    )
    assert.deepInclude(await refusal(anonymous(unknownId)), { name: "ResourceNotFoundException" })
  })
})

describe("GetCredentialsForIdentity", () => {
  const credentials = (input: GetCredentialsForIdentityInput) =>
    admin().send(new GetCredentialsForIdentityCommand(input))

  const setRoles = (IdentityPoolId: string, Roles: Record<string, string>) =>
    admin().send(new SetIdentityPoolRolesCommand({ IdentityPoolId, Roles }))

  const login = (token: string | undefined) => ({
    "cognito-identity.amazonaws.com": token ?? ""
  })

  /** A role that a pool's identities may assume, if they logged in so. */
  const createRoleFor = (name: string, poolId: string, amr = "authenticated") =>
    createRole(
      sandbox(),
      name,
      federated("cognito-identity.amazonaws.com", {
        StringEquals: { "cognito-identity.amazonaws.com:aud": poolId },
        "ForAnyValue:StringLike": { "cognito-identity.amazonaws.com:amr": amr }
      })
    )

  it("gives the pool's role to who has a developer token, for an hour", async () => {
    const IdentityPoolId = await createPool()
    const roleName = "developers"
    const roleArn = await createRoleFor(roleName, IdentityPoolId)
    await setRoles(IdentityPoolId, { authenticated: roleArn })
    const { IdentityId, Token } = await mint({ IdentityPoolId })
    const answer = await credentials({ IdentityId, Logins: login(Token), CustomRoleArn: roleArn })
    const {
      AccessKeyId = "",
      Expiration,
      SecretKey = "",
      SessionToken = ""
    } = answer.Credentials ?? {}
    assert.match(AccessKeyId, /^ASIA/)
    const left = (Expiration?.getTime() ?? 0) - Date.now()
    assert.isTrue(left > 3_590_000 && left <= 3_600_000)

    const caller = (sessionToken: string, systemClockOffset = 0) =>
      new STSClient({
        endpoint: sandbox().http,
        region: "us-east-1",
        maxAttempts: 1,
        systemClockOffset,
        credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretKey, sessionToken }
      }).send(new GetCallerIdentityCommand({}))
    const { Arn } = await caller(SessionToken)
    assert.match(Arn ?? "", new RegExp(`assumed-role/${roleName}/CognitoIdentityCredentials$`))

    assert.deepInclude(await refusal(caller("another")), { name: "InvalidClientTokenId" })
    sandbox().skew("sts", 3_601_000)
    assert.deepInclude(await refusal(caller(SessionToken, 3_601_000)), {
      name: "ExpiredToken",
      message: "The security token included in the request is expired",
      status: 403
    })
    sandbox().skew("sts", 0)
  })

  it("gives the guests' role to guests", async () => {
    const IdentityPoolId = await createPool({ guests: true })
    const unauthenticated = await createRoleFor("guests", IdentityPoolId, "unauthenticated")
    await setRoles(IdentityPoolId, { unauthenticated })
    const { IdentityId } = await admin().send(new GetIdCommand({ IdentityPoolId }))
    assert.isDefined((await credentials({ IdentityId })).Credentials?.SessionToken)
  })

  it("refuses in Cognito's words", async () => {
    const IdentityPoolId = await createPool()
    const { IdentityId, Token = "" } = await mint({ IdentityPoolId })
    const other = await mint({ IdentityPoolId, Logins: { [provider]: "another" } })
    const elsewhere = await mint({})
    const foreign = await sandbox().issueToken("else", {
      subject: IdentityId ?? "",
      audience: IdentityPoolId
    })
    const refused = async (Logins?: Record<string, string>, CustomRoleArn?: string) => {
      const { message, name } = await refusal(
        credentials({ IdentityId, Logins, ...(CustomRoleArn && { CustomRoleArn }) })
      )
      return `${name}: ${message}`
    }
    assert.match(await refused(), /^NotAuthorizedException: Access to Identity '.*' is forbidden/)
    assert.match(await refused({ [provider]: "my_user_id" }), /Issuer doesn't match providerName/)
    assert.match(await refused(login("x")), /Not a valid OpenId Connect identity token/)
    assert.match(await refused(login(foreign)), /Not a valid OpenId Connect identity token/)
    assert.match(await refused(login(other.Token)), /Logins don't match/)
    assert.match(await refused(login(elsewhere.Token)), /Logins don't match/)
    const forged = `${Token.slice(0, -8)}${Token.endsWith("AAAAAAA") ? "B" : "A"}AAAAAAA`
    assert.match(await refused(login(forged)), /Token signature invalid|Not a valid OpenId/)
    assert.match(
      await refused(login(Token)),
      /^InvalidIdentityPoolConfigurationException: Invalid identity pool configuration. Check assigned IAM roles/
    )
    // The first journey's role trusts the first journey's pool alone.
    await setRoles(IdentityPoolId, { authenticated: sandbox().aws.workload.roleArn })
    assert.match(await refused(login(Token)), /Check assigned IAM roles/)
    const authenticated = await createRoleFor("of-the-pool", IdentityPoolId)
    await setRoles(IdentityPoolId, { authenticated })
    assert.match(await refused(login(Token), sandbox().aws.admin.roleArn), /CustomRoleArn/)
    sandbox().skew("cognito", 16 * 60_000)
    assert.match(await refused(login(Token)), /Invalid login token. Token is expired./)
    sandbox().skew("cognito", 0)
    const nobody = credentials({ IdentityId: unknownId })
    assert.deepInclude(await refusal(nobody), { name: "ResourceNotFoundException" })
  })

  it("refuses guests who are no longer allowed in", async () => {
    const IdentityPoolId = await createPool()
    const call = admin().send(new GetIdCommand({ IdentityPoolId }))
    assert.match((await refusal(call)).message, /Unauthenticated access is not supported/)
  })

  it("gives a role that the pool tells of", async () => {
    const IdentityPoolId = await createPool()
    const roles = (of: string) =>
      admin().send(new GetIdentityPoolRolesCommand({ IdentityPoolId: of }))
    assert.deepEqual((await roles(IdentityPoolId)).Roles, {})
    const Roles = { authenticated: sandbox().aws.workload.roleArn }
    await setRoles(IdentityPoolId, Roles)
    assert.deepInclude(await roles(IdentityPoolId), { IdentityPoolId, Roles })
    assert.deepInclude(await refusal(roles(unknownId)), { name: "ResourceNotFoundException" })
    const workload = cognitoClient(sandbox(), { keys: sandbox().aws.workload })
    const call = workload.send(new GetIdentityPoolRolesCommand({ IdentityPoolId }))
    assert.deepInclude(await refusal(call), { name: "AccessDeniedException" })
  })

  it("refuses role mappings, rather than ignore them", async () => {
    const IdentityPoolId = await createPool()
    const call = admin().send(
      new SetIdentityPoolRolesCommand({
        IdentityPoolId,
        Roles: {},
        RoleMappings: { x: { Type: "Token" } }
      })
    )
    assert.deepInclude(await refusal(call), { name: "InvalidParameterException" })
  })
})

describe("logins at public providers", () => {
  const audience = "cognito"

  /** A pool that lists an issuer of the test's own; and that issuer's name as a login. */
  const poolFor = async (issuer: string, more: { classic?: boolean; guests?: boolean } = {}) => {
    const url = sandbox().issuerUrl(issuer)
    const { IdentityPoolId } = await admin().send(
      new CreateIdentityPoolCommand({
        IdentityPoolName: "public",
        AllowUnauthenticatedIdentities: more.guests ?? false,
        AllowClassicFlow: more.classic ?? true,
        DeveloperProviderName: provider,
        OpenIdConnectProviderARNs: [await trustIssuer(sandbox(), url, audience)]
      })
    )
    assert.isDefined(IdentityPoolId)
    return { IdentityPoolId, name: url.replace("https://", "") }
  }

  const token = (issuer: string, options: Partial<TokenOptions> = {}) =>
    sandbox().issueToken(issuer, { subject: "me", audience, ...options })

  const getId = (IdentityPoolId: string, Logins: Record<string, string>) =>
    admin().send(new GetIdCommand({ IdentityPoolId, Logins }))

  const getToken = (IdentityId: string | undefined, Logins?: Record<string, string>) =>
    admin().send(new GetOpenIdTokenCommand({ IdentityId, ...(Logins && { Logins }) }))

  it("give the same identity for the same subject, and tokens about it for ten minutes", async () => {
    const { IdentityPoolId, name } = await poolFor("login")
    const { IdentityId } = await getId(IdentityPoolId, { [name]: await token("login") })
    const again = await getId(IdentityPoolId, { [name]: await token("login") })
    assert.strictEqual(again.IdentityId, IdentityId)
    const other = await getId(IdentityPoolId, {
      [name]: await token("login", { subject: "another" })
    })
    assert.notStrictEqual(other.IdentityId, IdentityId)
    const { Token = "" } = await getToken(IdentityId, { [name]: await token("login") })
    const claims = decodeJwt(Token)
    assert.deepInclude(claims, {
      iss: sandbox().issuer,
      sub: IdentityId ?? "",
      aud: IdentityPoolId,
      amr: ["authenticated", name, `${name}:OIDC:me`]
    })
    assert.strictEqual((claims.exp ?? 0) - (claims.iat ?? 0), 600)
  })

  it("stand beside the developer's, for one identity", async () => {
    const { IdentityPoolId, name } = await poolFor("beside")
    const login = { [name]: await token("beside") }
    const { IdentityId, Token = "" } = await mint({
      IdentityPoolId,
      Logins: { [provider]: "me", ...login }
    })
    assert.strictEqual((await getId(IdentityPoolId, login)).IdentityId, IdentityId)
    assert.deepEqual(decodeJwt(Token)["amr"], [
      "authenticated",
      name,
      `${name}:OIDC:me`,
      provider,
      `${provider}:${IdentityPoolId}:me`
    ])
    const conflict = mint({ IdentityPoolId, Logins: { [provider]: "another", ...login } })
    assert.deepInclude(await refusal(conflict), { name: "ResourceConflictException" })
  })

  it("give credentials, without a token of Cognito's between", async () => {
    const { IdentityPoolId, name } = await poolFor("enhanced", { classic: false })
    const login = { [name]: await token("enhanced") }
    const { IdentityId } = await getId(IdentityPoolId, login)
    const Roles = {
      authenticated: await createRole(
        sandbox(),
        "enhanced",
        federated("cognito-identity.amazonaws.com", {
          StringEquals: { "cognito-identity.amazonaws.com:sub": IdentityId }
        })
      )
    }
    await admin().send(new SetIdentityPoolRolesCommand({ IdentityPoolId, Roles }))
    const { Credentials } = await admin().send(
      new GetCredentialsForIdentityCommand({ IdentityId, Logins: login })
    )
    assert.isDefined(Credentials?.SessionToken)
    assert.match((await refusal(getToken(IdentityId, login))).message, /classic.* is not enabled/)
  })

  it("are refused in Cognito's words", async () => {
    const { IdentityPoolId, name } = await poolFor("strict", { guests: true })
    const { IdentityPoolId: elsewhere } = await poolFor("elsewhere")
    const good = { [name]: await token("strict") }
    const { IdentityId } = await getId(IdentityPoolId, good)
    const guest = await admin().send(new GetIdCommand({ IdentityPoolId }))
    assert.deepEqual(decodeJwt((await getToken(guest.IdentityId)).Token ?? "")["amr"], [
      "unauthenticated"
    ])
    const { Token = "" } = await getToken(IdentityId, good)
    const another = await token("strict", { subject: "another" })
    const refusals: ReadonlyArray<readonly [() => Promise<unknown>, RegExp]> = [
      [() => getId(elsewhere, good), /not from a supported provider/],
      [
        async () => getId(IdentityPoolId, { [name]: await token("elsewhere") }),
        /doesn't match providerName/
      ],
      [
        async () => getId(IdentityPoolId, { [name]: await token("nobody") }),
        /Invalid login token\.$/
      ],
      [
        async () =>
          getId(IdentityPoolId, { [name]: await token("strict", { audience: "another" }) }),
        /Invalid login token\.$/
      ],
      [
        async () =>
          getId(IdentityPoolId, { [name]: await token("strict", { lifetime: -120_000 }) }),
        /Token is expired/
      ],
      [() => getToken(IdentityId), /Access to Identity '.*' is forbidden/],
      [() => getToken(IdentityId, { [name]: another }), /Logins don't match/],
      [
        () => getToken(IdentityId, { "cognito-identity.amazonaws.com": Token }),
        /Can't pass in a Cognito token/
      ]
    ]
    const errors = await Promise.all(refusals.map(([call]) => refusal(call())))
    for (const [at, { message, name: code }] of errors.entries()) {
      assert.strictEqual(code, "NotAuthorizedException")
      assert.match(message, refusals[at]![1])
    }
    assert.deepInclude(await refusal(getToken(unknownId)), { name: "ResourceNotFoundException" })
  })
})

describe("faults", () => {
  it("are in Cognito's own words", async () => {
    sandbox().fault("cognito.*", Fault.throttled(), { first: 1 })
    assert.deepInclude(await refusal(mint({})), {
      name: "TooManyRequestsException",
      status: 400
    })
    sandbox().fault("cognito.GetOpenIdTokenForDeveloperIdentity", Fault.status(500), { call: 1 })
    assert.deepInclude(await refusal(mint({})), { name: "InternalErrorException", status: 500 })
    await mint({})
  })
})
