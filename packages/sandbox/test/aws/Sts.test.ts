import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DisableOutboundWebIdentityFederationCommand, GetRoleCommand } from "@aws-sdk/client-iam"
import {
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  GetWebIdentityTokenCommand,
  STSClient
} from "@aws-sdk/client-sts"
import type {
  AssumeRoleWithWebIdentityCommandInput,
  Credentials,
  GetWebIdentityTokenCommandInput
} from "@aws-sdk/client-sts"
import { Fault } from "@federate/sandbox"
import type { TokenOptions } from "@federate/sandbox"
import { assert, beforeAll, describe, it, vi } from "@effect/vitest"
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose"
import type { JSONWebKeySet } from "jose"
import { refusal } from "../aws.ts"
import type { ClientOptions } from "../aws.ts"
import { iamClient } from "../iam.ts"
import { read, running } from "../running.ts"
import { allow, createRole, enableOutbound, federated, stsClient, trustIssuer } from "../sts.ts"

const sandbox = running({ setup: "empty" })

/** Served over http too, where nothing needs to be trusted. */
const plain = (url: string) => url.replace(sandbox().https, sandbox().http)

const keysOf = (credentials: Credentials | undefined) => {
  const { AccessKeyId, SecretAccessKey, SessionToken } = credentials ?? {}
  assert.isDefined(AccessKeyId)
  assert.isDefined(SecretAccessKey)
  assert.isDefined(SessionToken)
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken
  }
}

/** As the role of an assumed session, or another. */
const callerOf = (keys: NonNullable<ClientOptions["keys"]>) =>
  stsClient(sandbox(), { keys }).send(new GetCallerIdentityCommand({}))

describe("AssumeRoleWithWebIdentity", () => {
  const audience = "sts.amazonaws.com"
  const subject = "repo:octo/app:ref:refs/heads/main"
  let provider = ""
  let prefix = ""
  let roleArn = ""

  beforeAll(async () => {
    const issuer = sandbox().issuerUrl("github")
    prefix = issuer.replace("https://", "")
    provider = await trustIssuer(sandbox(), issuer, audience, "another-audience")
    roleArn = await createRole(
      sandbox(),
      "reader",
      federated(provider, {
        StringEquals: { [`${prefix}:aud`]: audience },
        StringLike: { [`${prefix}:sub`]: "repo:octo/app:*" }
      }),
      { Path: "/teams/blue/" }
    )
  })

  const token = (options: Partial<TokenOptions> = {}, issuer = "github") =>
    sandbox().issueToken(issuer, { subject, audience, ...options })

  const assume = async (
    input: Partial<AssumeRoleWithWebIdentityCommandInput> = {},
    options: ClientOptions = {}
  ) =>
    stsClient(sandbox(), options).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: "tests",
        WebIdentityToken: input.WebIdentityToken ?? (await token()),
        ...input
      })
    )

  it("gives the role's credentials, which sign, for an hour", async () => {
    const answer = await assume()
    assert.match(answer.Credentials?.AccessKeyId ?? "", /^ASIA/)
    const left = (answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now()
    assert.isTrue(left > 3_590_000 && left <= 3_600_000)
    const arn = `arn:aws:sts::${sandbox().aws.accountId}:assumed-role/reader/tests`
    assert.deepInclude(answer, {
      SubjectFromWebIdentityToken: subject,
      Provider: sandbox().issuerUrl("github"),
      Audience: audience
    })
    assert.strictEqual(answer.AssumedRoleUser?.Arn, arn)
    const { Arn, UserId } = await callerOf(keysOf(answer.Credentials))
    assert.strictEqual(Arn, arn)
    assert.strictEqual(UserId, answer.AssumedRoleUser?.AssumedRoleId)
  })

  it("takes no signature, and no session token without one", async () => {
    const call = assume({}, { tamper: ({ headers }) => (headers["x-amz-security-token"] = "x") })
    assert.deepInclude(await refusal(call), { name: "InvalidClientTokenId", status: 403 })
  })

  it("lasts as long as is asked, within the role's own maximum", async () => {
    const { Credentials: short } = await assume({ DurationSeconds: 900 })
    const left = (short?.Expiration?.getTime() ?? 0) - Date.now()
    assert.isTrue(left > 890_000 && left <= 900_000)
    assert.deepEqual(await refusal(assume({ DurationSeconds: 3601 })), {
      name: "ValidationError",
      message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
      status: 400
    })
    const longer = await createRole(sandbox(), "longer", federated(provider), {
      MaxSessionDuration: 7200
    })
    await assume({ RoleArn: longer, DurationSeconds: 7200 })
  })

  it("lets a session do what its policies and the role's both allow", async () => {
    await allow(sandbox(), "reader", ["iam:GetRole", "iam:ListOpenIDConnectProviders"])
    const get = async (input: Partial<AssumeRoleWithWebIdentityCommandInput>) => {
      const keys = keysOf((await assume(input)).Credentials)
      return iamClient(sandbox(), { keys }).send(new GetRoleCommand({ RoleName: "reader" }))
    }
    const policy = (Effect: string, Action: string) =>
      JSON.stringify({ Statement: { Effect, Action, Resource: "*" } })
    assert.strictEqual((await get({})).Role?.Path, "/teams/blue/")
    await get({ Policy: policy("Allow", "iam:*") })
    await get({ PolicyArns: [{ arn: "arn:aws:iam::aws:policy/AdministratorAccess" }] })
    const narrowed = await refusal(get({ Policy: policy("Allow", "sts:*") }))
    assert.strictEqual(narrowed.name, "AccessDenied")
    assert.match(narrowed.message, /because no session policy allows the iam:GetRole action$/)
    const denied = await refusal(get({ Policy: policy("Deny", "*") }))
    assert.match(denied.message, /with an explicit deny in a session policy$/)
    const { PackedPolicySize } = await assume({ Policy: policy("Allow", "iam:*") })
    assert.isAbove(PackedPolicySize ?? 0, 0)
  })

  it("has room for no more than so much of session policy and tags together", async () => {
    const claims = {
      "https://aws.amazon.com/tags": {
        principal_tags: Object.fromEntries(
          Array.from({ length: 20 }, (_, index) => [`tag-${index}`, ["x".repeat(120)]])
        )
      }
    }
    const issuer = sandbox().issuerUrl("packed")
    const trusted = await trustIssuer(sandbox(), issuer, "sts.amazonaws.com")
    const RoleArn = await createRole(
      sandbox(),
      "packed",
      federated(trusted, {}, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"])
    )
    const WebIdentityToken = await sandbox().issueToken("packed", {
      subject: "workload",
      audience: "sts.amazonaws.com",
      claims
    })
    assert.deepInclude(await refusal(assume({ RoleArn, WebIdentityToken })), {
      name: "PackedPolicyTooLargeException",
      status: 400
    })
  })

  it("carries the assertion's session tags and source identity, if the role trusts it with them", async () => {
    const claims = {
      "https://aws.amazon.com/tags": {
        principal_tags: { team: ["blue"] },
        transitive_tag_keys: ["team"]
      },
      "https://aws.amazon.com/source_identity": "octocat"
    }
    const tagged = await token({ claims })
    assert.deepInclude(await refusal(assume({ WebIdentityToken: tagged })), {
      name: "AccessDenied",
      message: "Not authorized to perform sts:TagSession"
    })
    const RoleArn = await createRole(
      sandbox(),
      "tagged",
      federated(provider, { StringEquals: { "aws:RequestTag/team": "blue" } }, [
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
        "sts:SetSourceIdentity"
      ])
    )
    const answer = await assume({ RoleArn, WebIdentityToken: tagged })
    assert.strictEqual(answer.SourceIdentity, "octocat")
    assert.deepInclude(await refusal(assume({ RoleArn })), {
      name: "AccessDenied",
      message: "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    })
  })

  it("believes every algorithm that AWS takes, and each provider its own audiences", async () => {
    await Promise.all(
      (["RS384", "RS512", "ES256", "ES384"] as const).map(async (algorithm) =>
        assume({ WebIdentityToken: await token({ algorithm }) })
      )
    )
    const RoleArn = await createRole(
      sandbox(),
      "by-client",
      federated(provider, {
        StringEquals: { [`${prefix}:aud`]: "another-audience", [`${prefix}:oaud`]: "whoever" }
      })
    )
    // With an `azp` nobody looks at the audience.
    const claims = { azp: "another-audience" }
    const WebIdentityToken = await token({ audience: "whoever", claims })
    const { Audience } = await assume({ RoleArn, WebIdentityToken })
    assert.strictEqual(Audience, "another-audience")
  })

  it("takes a new key as soon as it is published", async () => {
    await assume()
    sandbox().rotateKeys({ issuer: "github" }, "old")
    assert.match((await refusal(assume())).message, /^Couldn't retrieve verification key/)
    sandbox().rotateKeys({ issuer: "github" })
    await assume()
  })

  const denied = {
    name: "AccessDenied",
    message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    status: 403
  }

  it.each<
    readonly [
      what: string,
      token: Partial<TokenOptions>,
      input: Partial<AssumeRoleWithWebIdentityCommandInput>,
      expected: {
        readonly name: string
        readonly message: string | RegExp
        readonly status?: number
      }
    ]
  >([
    ["another subject", { subject: "repo:octo/other:x" }, {}, denied],
    ["another audience than the trust's", { audience: "another-audience" }, {}, denied],
    ["a role that is not there", {}, { RoleArn: "arn:aws:iam::111122223333:role/nobody" }, denied],
    ["a role without its path", {}, { RoleArn: "arn:aws:iam::111122223333:role/reader" }, denied],
    [
      "an audience that the provider does not list",
      { audience: "api://AzureADTokenExchange" },
      {},
      { name: "InvalidIdentityTokenException", message: "Incorrect token audience" }
    ],
    [
      "a client that the provider does not list, whatever the audience",
      { claims: { azp: "another" } },
      {},
      { name: "InvalidIdentityTokenException", message: "Incorrect token audience" }
    ],
    [
      "an assertion that has ended",
      { lifetime: -120_000 },
      {},
      {
        name: "ExpiredTokenException",
        message:
          /^Token expired: current date\/time \d+ must be before the expiration date\/time\d+$/,
        status: 400
      }
    ],
    [
      "an assertion of tomorrow",
      { claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } },
      {},
      { name: "InvalidIdentityTokenException", message: /not valid yet/ }
    ],
    [
      "times that are no integers",
      { claims: { iat: 1.5 } },
      {},
      { name: "InvalidIdentityTokenException", message: /not a valid JWT/ }
    ],
    [
      "an assertion about nobody",
      { claims: { sub: undefined } },
      {},
      { name: "InvalidIdentityTokenException", message: "Missing a required claim: sub" }
    ],
    [
      "an algorithm that AWS does not take",
      { algorithm: "PS256" },
      {},
      { name: "InvalidIdentityTokenException", message: /not a valid JWT/ }
    ],
    [
      "a key that nobody published",
      { header: { kid: "another" } },
      {},
      {
        name: "InvalidIdentityTokenException",
        message:
          "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        status: 400
      }
    ],
    [
      "no JWT",
      {},
      { WebIdentityToken: "nonsense" },
      { name: "InvalidIdentityTokenException", message: /not a valid JWT/ }
    ],
    [
      "an ARN that is no role's",
      {},
      { RoleArn: "arn:aws:iam::111122223333:user/me" },
      { name: "ValidationError", message: "Request ARN is invalid" }
    ],
    [
      "a session's name with blanks, and too short a time",
      {},
      { RoleSessionName: "a b", DurationSeconds: 60 },
      {
        name: "ValidationError",
        message: /^2 validation errors detected: .*'roleSessionName'.*'durationSeconds'/
      }
    ],
    [
      "a provider's name, which is for other tokens",
      {},
      { ProviderId: "www.amazon.com" },
      { name: "ValidationError", message: /without ProviderId/ }
    ],
    [
      "a session policy that is none",
      {},
      { Policy: "{}" },
      { name: "MalformedPolicyDocumentException", message: /Syntax errors/ }
    ],
    [
      "a managed policy that the sandbox does not know",
      {},
      { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/job-function/Billing" }] },
      { name: "ValidationError", message: /no managed policy .* the account's own/ }
    ],
    [
      "eleven managed policies",
      {},
      { PolicyArns: Array.from({ length: 11 }, () => ({ arn: "x" })) },
      { name: "ValidationError", message: /At most 10/ }
    ]
  ])("refuses %s", async (_, options, input, { message, name, status = 400 }) => {
    const error = await refusal(assume({ WebIdentityToken: await token(options), ...input }))
    assert.deepInclude(error, { name, status })
    if (typeof message === "string") assert.strictEqual(error.message, message)
    else assert.match(error.message, message)
  })

  it("refuses an issuer that IAM does not know, or that cannot be reached", async () => {
    const foreign = await token({}, "elsewhere")
    assert.deepEqual(await refusal(assume({ WebIdentityToken: foreign })), {
      name: "InvalidIdentityTokenException",
      message: `No OpenIDConnect provider found in your account for ${sandbox().issuerUrl("elsewhere")}`,
      status: 400
    })
    const RoleArn = await createRole(
      sandbox(),
      "unreachable",
      federated(await trustIssuer(sandbox(), sandbox().issuerUrl("unreachable"), audience))
    )
    const WebIdentityToken = await token({}, "unreachable")
    const lift = sandbox().fault("issuer.*", Fault.reset)
    assert.deepInclude(await refusal(assume({ RoleArn, WebIdentityToken })), {
      name: "IDPCommunicationErrorException",
      status: 400
    })
    lift()
    await assume({ RoleArn, WebIdentityToken })
  })

  it("refuses an assertion that was changed", async () => {
    const [header, payload, signature] = (await token()).split(".")
    const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString())
    const changed = Buffer.from(JSON.stringify({ ...claims, jti: "x" })).toString("base64url")
    const error = await refusal(assume({ WebIdentityToken: `${header}.${changed}.${signature}` }))
    assert.deepInclude(error, {
      name: "InvalidIdentityTokenException",
      message: "The signature of the ID Token is not valid"
    })
  })

  it("heeds a Deny before every Allow", async () => {
    const RoleArn = await createRole(
      sandbox(),
      "but-not",
      JSON.stringify({
        Statement: [
          {
            Effect: "Allow",
            Principal: { Federated: provider },
            Action: "sts:AssumeRoleWithWebIdentity"
          },
          {
            Effect: "Deny",
            Principal: { Federated: provider },
            Action: "sts:*",
            Condition: { StringEquals: { [`${prefix}:sub`]: subject } }
          }
        ]
      })
    )
    assert.deepEqual(await refusal(assume({ RoleArn })), denied)
    await assume({ RoleArn, WebIdentityToken: await token({ subject: "another" }) })
  })

  it("refuses what cannot be read as the call", async () => {
    const response = await fetch(sandbox().http, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        RoleArn: roleArn,
        RoleSessionName: "tests",
        WebIdentityToken: await token(),
        DurationSeconds: "an hour"
      })
    })
    assert.strictEqual(response.status, 400)
    assert.match(await response.text(), /<Code>MalformedInput<\/Code>/)
  })

  it("lets no list of a request reach what every object has", async () => {
    await fetch(sandbox().http, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        "__proto__.member.1": "x",
        "constructor.member.1.prototype": "x"
      })
    })
    assert.notProperty({}, "0")
  })
})

describe("GetWebIdentityToken", () => {
  const audience = "api://AzureADTokenExchange"
  let issuer = ""

  beforeAll(async () => {
    const off = await refusal(mint({}, sandbox().aws.admin))
    assert.deepInclude(off, {
      name: "OutboundWebIdentityFederationDisabledException",
      status: 403
    })
    issuer = await enableOutbound(sandbox())
    await allow(sandbox(), "federate-workload", "sts:GetWebIdentityToken")
  })

  const mint = (
    input: Partial<GetWebIdentityTokenCommandInput> = {},
    keys: NonNullable<ClientOptions["keys"]> = sandbox().aws.workload
  ) =>
    stsClient(sandbox(), { keys }).send(
      new GetWebIdentityTokenCommand({
        Audience: [audience],
        SigningAlgorithm: "RS256",
        ...input
      })
    )

  it.each(["RS256", "ES384"] as const)(
    "gives a token that anyone can verify by the account's keys: %s",
    async (SigningAlgorithm) => {
      const { Expiration, WebIdentityToken = "" } = await mint({ SigningAlgorithm })
      const discovery = await read<{ issuer: string; jwks_uri: string }>(
        `${plain(issuer)}/.well-known/openid-configuration`
      )
      assert.strictEqual(discovery.issuer, issuer)
      const { payload, protectedHeader } = await jwtVerify(
        WebIdentityToken,
        createLocalJWKSet(await read<JSONWebKeySet>(plain(discovery.jwks_uri))),
        { issuer, audience, algorithms: [SigningAlgorithm] }
      )
      assert.strictEqual(protectedHeader.alg, SigningAlgorithm)
      const { accountId, region, workload } = sandbox().aws
      assert.strictEqual(payload.sub, workload.roleArn)
      assert.strictEqual((payload.exp ?? 0) - (payload.iat ?? 0), 300)
      assert.strictEqual(Expiration?.getTime(), (payload.exp ?? 0) * 1000)
      assert.deepInclude(payload["https://sts.amazonaws.com/"], {
        aws_account: accountId,
        source_region: region,
        principal_id: workload.roleArn
      })
    }
  )

  it("names several audiences as a list, and lasts as long as asked", async () => {
    const { WebIdentityToken = "" } = await mint({ Audience: ["a", "b"], DurationSeconds: 60 })
    const { aud, exp = 0, iat = 0 } = decodeJwt(WebIdentityToken)
    assert.deepEqual(aud, ["a", "b"])
    assert.strictEqual(exp - iat, 60)
  })

  it("takes tags from who may tag", async () => {
    const Tags = [{ Key: "team", Value: "blue" }]
    const { message, name } = await refusal(mint({ Tags }))
    assert.strictEqual(name, "AccessDenied")
    assert.match(message, /sts:TagGetWebIdentityToken/)
    const { WebIdentityToken = "" } = await mint({ Tags }, sandbox().aws.admin)
    assert.deepInclude(decodeJwt(WebIdentityToken)["https://sts.amazonaws.com/"], {
      request_tags: { team: "blue" }
    })
    const many = Array.from({ length: 50 }, (_, at) => ({ Key: `k${at}`, Value: "v".repeat(256) }))
    assert.deepInclude(await refusal(mint({ Tags: many }, sandbox().aws.admin)), {
      name: "JWTPayloadSizeExceededException",
      status: 400
    })
  })

  it("is for whom the role's conditions name", async () => {
    const name = "conditioned"
    const trust = federated(
      await trustIssuer(sandbox(), sandbox().issuerUrl("ci"), "sts.amazonaws.com"),
      {},
      ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    )
    const RoleArn = await createRole(sandbox(), name, trust)
    await allow(sandbox(), name, "sts:GetWebIdentityToken", {
      "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": audience },
      Null: { "sts:IdentityTokenAudience": "false" },
      NumericLessThanEquals: { "sts:DurationSeconds": 120 },
      StringEquals: { "sts:SigningAlgorithm": "RS256" }
    })
    const { Credentials: session } = await stsClient(sandbox()).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn,
        RoleSessionName: "tests",
        WebIdentityToken: await sandbox().issueToken("ci", {
          subject: "job",
          audience: "sts.amazonaws.com",
          claims: {
            "https://aws.amazon.com/tags": { principal_tags: { team: ["blue"] } },
            "https://aws.amazon.com/source_identity": "octocat"
          }
        })
      })
    )
    const keys = keysOf(session)
    const { WebIdentityToken = "" } = await mint({ DurationSeconds: 120 }, keys)
    const claims = decodeJwt(WebIdentityToken)
    // The role, not its session; which ends, and brings what it was made with.
    assert.strictEqual(claims.sub, RoleArn)
    const more = claims["https://sts.amazonaws.com/"]
    assert.property(more, "original_session_exp")
    assert.deepInclude(more, { principal_tags: { team: "blue" }, source_identity: "octocat" })
    const refused = [
      {},
      { DurationSeconds: 121 },
      { DurationSeconds: 60, SigningAlgorithm: "ES384" },
      { DurationSeconds: 60, Audience: [audience, "another"] }
    ].map((input) => refusal(mint(input, keys)))
    for (const error of await Promise.all(refused))
      assert.deepInclude(error, { name: "AccessDenied", status: 403 })
  })

  it("does not outlive the session that asks for it", async () => {
    const RoleArn = await createRole(
      sandbox(),
      "short",
      federated(await trustIssuer(sandbox(), sandbox().issuerUrl("short"), "x"))
    )
    await allow(sandbox(), "short", "sts:*")
    const { Credentials: session } = await stsClient(sandbox()).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn,
        RoleSessionName: "tests",
        DurationSeconds: 900,
        WebIdentityToken: await sandbox().issueToken("short", { subject: "me", audience: "x" })
      })
    )
    assert.deepInclude(await refusal(mint({ DurationSeconds: 3600 }, keysOf(session))), {
      name: "SessionDurationEscalationException",
      status: 403
    })
    await mint({ DurationSeconds: 600 }, keysOf(session))
  })

  it("is not taken back by AWS itself", async () => {
    const own = await trustIssuer(sandbox(), issuer, "sts.amazonaws.com")
    const RoleArn = await createRole(sandbox(), "itself", federated(own))
    const { WebIdentityToken = "" } = await mint({ Audience: ["sts.amazonaws.com"] })
    const call = stsClient(sandbox()).send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "tests", WebIdentityToken })
    )
    assert.deepInclude(await refusal(call), {
      name: "InvalidIdentityTokenException",
      message: `No OpenIDConnect provider found in your account for ${issuer}`
    })
  })

  it.each<
    readonly [what: string, input: Partial<GetWebIdentityTokenCommandInput>, message: RegExp]
  >([
    ["nobody", { Audience: [] }, /'audience' failed.*length greater than or equal to 1/],
    [
      "eleven",
      { Audience: Array.from({ length: 11 }, String) },
      /'audience' failed.*length less than or equal to 10/
    ],
    [
      "an empty audience",
      { Audience: [""] },
      /'audience' failed.*length greater than or equal to 1/
    ],
    ["an algorithm that it has not", { SigningAlgorithm: "RS512" }, /'signingAlgorithm' failed/],
    ["less than a minute", { DurationSeconds: 59 }, /'durationSeconds' failed.*equal to 60/],
    ["more than an hour", { DurationSeconds: 3601 }, /'durationSeconds' failed.*equal to 3600/],
    ["a tag in other letters", { Tags: [{ Key: "a!", Value: "" }] }, /'tags' failed.*pattern/],
    ["a tag without a name", { Tags: [{ Key: "", Value: "x" }] }, /'tags' failed/]
  ])("refuses %s", async (_, input, message) => {
    const error = await refusal(mint(input))
    assert.deepInclude(error, { name: "ValidationError", status: 400 })
    assert.match(error.message, message)
  })

  it("signs with new keys after a rotation, and shows them", async () => {
    const before = decodeProtectedHeader((await mint()).WebIdentityToken ?? "").kid
    const made = sandbox().rotateKeys("sts")
    const after = decodeProtectedHeader((await mint()).WebIdentityToken ?? "").kid
    assert.notStrictEqual(after, before)
    assert.include(made, after)
    const { keys } = await read<JSONWebKeySet>(`${plain(issuer)}/.well-known/jwks.json`)
    const shown = keys.map(({ kid }) => kid)
    assert.includeMembers(shown, [before, ...made])
  })

  it("ends when outbound federation is switched off; what is out can still be verified", async () => {
    await iamClient(sandbox()).send(new DisableOutboundWebIdentityFederationCommand({}))
    assert.deepInclude(await refusal(mint()), {
      name: "OutboundWebIdentityFederationDisabledException",
      status: 403
    })
    await read(`${plain(issuer)}/.well-known/jwks.json`)
    // The same one as before.
    assert.strictEqual(await enableOutbound(sandbox()), issuer)
  })
})

describe("a sandbox with a trust from the start", () => {
  const set = running({ aws: { trust: { issuer: "github", subject: "repo:octo/*" } } })

  it("has a role for that issuer's assertions, and names it where SDKs look", async () => {
    const { aws, env } = set()
    assert.strictEqual(env["AWS_ROLE_ARN"], aws.federatedRoleArn)
    const assume = async (subject: string) =>
      stsClient(set()).send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: aws.federatedRoleArn,
          RoleSessionName: "tests",
          WebIdentityToken: await set().issueToken("github", {
            subject,
            audience: "sts.amazonaws.com"
          })
        })
      )
    assert.isDefined((await assume("repo:octo/app")).Credentials)
    assert.deepInclude(await refusal(assume("repo:other/app")), { name: "AccessDenied" })
  })

  it("is assumed by AWS's own SDK, from a token's file and the variables alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "federate-"))
    const file = join(folder, "token")
    const audience = "sts.amazonaws.com"
    await writeFile(file, await set().issueToken("github", { subject: "repo:octo/app", audience }))
    const variables = {
      ...set().env,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AWS_WEB_IDENTITY_TOKEN_FILE: file
    }
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    const { Arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}))
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
    assert.match(Arn ?? "", /:assumed-role\/federated\/aws-sdk-js-session-/)
  })
})
