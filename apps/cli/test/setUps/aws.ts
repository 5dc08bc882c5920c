/** Flows to roles of AWS, and from AWS STS. */
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DisableOutboundWebIdentityFederationCommand,
  EnableOutboundWebIdentityFederationCommand,
  GetOutboundWebIdentityFederationInfoCommand,
  PutRolePolicyCommand
} from "@aws-sdk/client-iam"
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { assert } from "@effect/vitest"
import type { Sandbox, TokenOptions } from "@federate/sandbox"
import { iam } from "./apis.ts"
import { application, exchanger } from "./entra.ts"
import type { Built, Place, SetUp, WellSetUp } from "./SetUp.ts"

const audience = "sts.amazonaws.com"
const main = "repo:o/r:ref:refs/heads/main"
const assume = "sts:AssumeRoleWithWebIdentity"

interface Changes {
  /** What the token says. */
  readonly token?: Partial<TokenOptions>
  /** Whose tokens the role lets in. Default: the set-up's own issuer. */
  readonly issuer?: string
  /** What IAM's OIDC provider lists. */
  readonly clientIds?: ReadonlyArray<string> | "none"
  /** Of the role's trust policy. */
  readonly statement?: (prefix: string) => Readonly<Record<string, unknown>>
  /** Of the exchanger's settings. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly undo?: Built["undo"]
}

const keys = ({ accessKeyId, secretAccessKey }: Sandbox.AwsKeys) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey
})

/** A job's token in a file, and a role that trusts it. */
const job = async (place: Place, changes: Changes = {}): Promise<Built> => {
  const { name, sandbox, write } = place
  const token = { subject: main, audience, ...changes.token }
  const roleArn = await role(place, changes)
  return {
    source: { type: "kubernetes", tokenFile: write(await sandbox.issueToken(name, token)) },
    exchanger: { type: "aws", region: sandbox.aws.region, roleArn, ...changes.settings },
    env: keys(sandbox.aws.admin),
    ...(changes.undo && { undo: changes.undo })
  }
}

/** Its ARN. */
const role = async (
  { name, sandbox }: Place,
  { clientIds = [audience], issuer = sandbox.issuerUrl(name), statement }: Changes
): Promise<string> => {
  const client = iam(sandbox)
  const prefix = issuer.replace("https://", "")
  if (clientIds !== "none") {
    await client.send(
      new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: [...clientIds] })
    )
  }
  const { Role } = await client.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::${sandbox.aws.accountId}:oidc-provider/${prefix}` },
          Action: assume,
          Condition: { StringEquals: { [`${prefix}:aud`]: audience, [`${prefix}:sub`]: main } },
          ...statement?.(prefix)
        }
      })
    })
  )
  assert.isDefined(Role?.Arn)
  return Role.Arn
}

/** Keys of a session of a role that may do this, as variables. */
export const session = async (
  place: Place,
  allowed: ReadonlyArray<Readonly<Record<string, unknown>>> = []
) => {
  const { name, sandbox } = place
  const RoleArn = await role(place, {})
  if (allowed.length > 0) {
    await iam(sandbox).send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: "more",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: allowed.map((each) => ({ Effect: "Allow", Resource: "*", ...each }))
        })
      })
    )
  }
  const { Credentials } = await new STSClient({
    endpoint: sandbox.http,
    region: sandbox.aws.region
  }).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn,
      RoleSessionName: "doctor",
      DurationSeconds: 900,
      WebIdentityToken: await sandbox.issueToken(name, { subject: main, audience })
    })
  )
  return {
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials?.SessionToken
  }
}

/** Gives the issuer. Whoever comes first switches it on. */
const enable = async (sandbox: Sandbox.Sandbox): Promise<string> => {
  const client = iam(sandbox)
  const known = await client.send(new GetOutboundWebIdentityFederationInfoCommand({})).then(
    ({ IssuerIdentifier }) => IssuerIdentifier,
    () => undefined
  )
  const issuer =
    known ??
    (await client.send(new EnableOutboundWebIdentityFederationCommand({}))).IssuerIdentifier
  assert.isDefined(issuer)
  return issuer
}

/** What AWS STS signs of who holds these keys, for Entra. */
const outbound = async (
  place: Place,
  {
    env,
    settings,
    subject
  }: {
    readonly env?: Built["env"]
    readonly settings?: Readonly<Record<string, unknown>>
    readonly subject?: string
  } = {}
): Promise<Built> => {
  const { sandbox } = place
  const { clientId } = await application(place, {
    issuer: await enable(sandbox),
    subject: subject ?? sandbox.aws.admin.roleArn,
    audience: "api://AzureADTokenExchange"
  })
  return {
    source: { type: "aws", ...settings },
    exchanger: exchanger(place, clientId),
    env: env ?? keys(sandbox.aws.admin),
    args: ["--admin-token-command", "printenv FEDERATE_SANDBOX_ADMIN_TOKEN"]
  }
}

const minutes = 60_000

export const well: ReadonlyArray<WellSetUp> = [
  { name: "a job to a role", build: job },
  { name: "a role to Entra", build: outbound }
]

export const aws: ReadonlyArray<SetUp> = [
  // A role that trusts tokens.
  {
    name: "the role trusts another branch",
    build: (place) => job(place, { token: { subject: "repo:o/r:ref:refs/heads/feature" } }),
    found: "sub",
    what: /is not what `StringEquals localhost:\d+\/issuers\/[\w-]+:sub` wants/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/feature" in `StringEquals/,
    code: "AccessDenied"
  },
  {
    name: "the role's condition differs in case",
    build: (place) => job(place, { token: { subject: main.replace("o/r", "O/R") } }),
    found: "sub",
    what: /is not what `StringEquals/,
    why: /upper and lower case alone/,
    fix: /^Write exactly "repo:O\/R:/,
    code: "AccessDenied"
  },
  {
    name: "the role's condition has a wildcard under StringEquals",
    build: (place) =>
      job(place, {
        statement: (prefix) => ({
          Condition: {
            StringEquals: { [`${prefix}:aud`]: audience, [`${prefix}:sub`]: "repo:o/r:*" }
          }
        })
      }),
    found: "sub",
    what: /is not what `StringEquals/,
    why: /its \* stands for nothing but itself/,
    fix: /^Write exactly "repo:o\/r:ref:refs\/heads\/main"/,
    code: "AccessDenied"
  },
  {
    name: "the role lets another issuer's tokens in",
    build: (place) => job(place, { issuer: place.sandbox.issuerUrl(`${place.name}-other`) }),
    found: "iss",
    what: /is not what `Principal.Federated` wants/,
    fix: /^Write exactly "https:\/\/localhost:\d+\/issuers\/[\w-]+"/,
    code: "InvalidIdentityToken"
  },
  {
    name: "the account has no OIDC provider for the issuer",
    build: (place) => job(place, { clientIds: "none" }),
    found: "trust",
    what: /^IAM has no OIDC provider arn:aws:iam::\d+:oidc-provider\/localhost/,
    fix: /`aws iam create-open-id-connect-provider --url https:/,
    code: "InvalidIdentityToken"
  },
  {
    name: "the OIDC provider lists another audience",
    build: (place) => job(place, { clientIds: ["https://github.com/o"] }),
    found: "aud",
    what: /is not what `ClientIDList` wants/,
    fix: /^Write "sts.amazonaws.com" in `ClientIDList`/,
    code: "InvalidIdentityToken"
  },
  {
    name: "the token is for another audience",
    build: (place) => job(place, { token: { audience: "https://github.com/o" } }),
    found: "aud",
    what: /is not what `StringEquals/,
    fix: /ask for the audience "sts.amazonaws.com"/,
    code: "InvalidIdentityToken"
  },
  {
    name: "AWS looks at the token's azp in its audience's place",
    build: (place) => job(place, { token: { claims: { azp: "a-client" } } }),
    found: "azp",
    what: /is not what `StringEquals/,
    fix: /^Write exactly "a-client"/,
    code: "InvalidIdentityToken"
  },
  {
    name: "there is no such role",
    build: async (place) => {
      const built = await job(place)
      return {
        ...built,
        exchanger: {
          ...built.exchanger,
          roleArn: `arn:aws:iam::${place.sandbox.aws.accountId}:role/nobody`
        }
      }
    },
    found: "trust",
    what: /^There is no role arn:aws:iam::\d+:role\/nobody/,
    fix: /`aws iam create-role --role-name nobody --assume-role-policy-document '\{.*:sub":"repo:o\/r:ref:refs\/heads\/main"/,
    code: "AccessDenied"
  },
  {
    name: "the role lets no identity provider in",
    build: (place) =>
      job(place, {
        statement: () => ({
          Principal: { Service: "lambda.amazonaws.com" },
          Action: "sts:AssumeRole",
          Condition: {}
        })
      }),
    found: "trust",
    what: /or it lets no identity provider in/,
    fix: /`aws iam update-assume-role-policy --role-name set-up-\d+/,
    code: "AccessDenied"
  },
  {
    name: "the role's trust policy allows another action",
    build: (place) => job(place, { statement: () => ({ Action: "sts:AssumeRole" }) }),
    found: "trust",
    what: /`Action` does not allow sts:AssumeRoleWithWebIdentity/,
    fix: /^Write "sts:AssumeRoleWithWebIdentity" in the statement's `Action`/,
    code: "AccessDenied"
  },
  {
    name: "the token brings session tags, and the role does not let them be set",
    build: (place) =>
      job(place, {
        token: {
          claims: { "https://aws.amazon.com/tags": { principal_tags: { team: ["blue"] } } }
        }
      }),
    found: "exchange",
    what: /Not authorized to perform sts:TagSession/,
    fix: /it must allow sts:AssumeRoleWithWebIdentity and sts:TagSession to the principal/,
    code: "AccessDenied"
  },
  {
    name: "the session is to last longer than the role allows",
    build: (place) => job(place, { settings: { duration: "2 hours" } }),
    found: "exchange",
    what: /exceeds the MaxSessionDuration set for this role/,
    fix: /`aws iam get-role` tells the role's MaxSessionDuration/,
    code: "ValidationError"
  },
  {
    name: "the session policy and tags are too large together",
    build: (place) =>
      job(place, {
        token: {
          claims: {
            "https://aws.amazon.com/tags": {
              principal_tags: Object.fromEntries(
                Array.from({ length: 40 }, (_, index) => [`tag-${index}`, ["x".repeat(200)]])
              )
            }
          }
        },
        statement: () => ({ Action: [assume, "sts:TagSession"] }),
        settings: {
          policy: {
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Action: "s3:GetObject",
                Resource: Array.from({ length: 40 }, (_, index) => `arn:aws:s3:::bucket-${index}/*`)
              }
            ]
          }
        }
      }),
    found: "exchange",
    what: /Packed policy consumes \d+% of allotted space/,
    fix: /too large together: make the policy shorter/,
    code: "PackedPolicyTooLarge"
  },
  {
    name: "the session policy is no policy",
    build: (place) => job(place, { settings: { policy: '{"Statement":"no"}' } }),
    found: "exchange",
    what: /MalformedPolicyDocument/,
    fix: /AWS cannot read `policy`/,
    code: "MalformedPolicyDocument"
  },
  {
    name: "the issuer's key was rotated away",
    build: async (place) => {
      const built = await job(place)
      place.sandbox.rotateKeys({ issuer: place.name }, "new")
      return built
    },
    found: "issuer",
    what: /publishes no key/,
    fix: /^Publish the key that signs/,
    code: "InvalidIdentityToken"
  },
  {
    name: "the issuer does not answer AWS",
    build: async (place) => {
      const issuer = `${place.sandbox.https}/issuers/nobody-${place.name}`
      return job(place, { issuer, token: { claims: { iss: issuer } } })
    },
    found: "issuer",
    what: /keys cannot be had: .* answered 404/,
    fix: /must answer 200 from anywhere on the internet/,
    code: "InvalidIdentityToken"
  },
  {
    name: "the issuer answers AWS with errors",
    build: (place) =>
      job(place, { undo: place.sandbox.fault("issuer.*", { _tag: "Status", status: 503 }) }),
    found: "issuer",
    what: /keys cannot be had: .* answered 503/,
    fix: /must answer 200 from anywhere on the internet/,
    code: "IDPCommunicationError"
  },
  {
    name: "AWS's clock is ahead: the token has ended there",
    build: async (place) => {
      const built = await job(place, { undo: () => place.sandbox.skew("sts", 0) })
      place.sandbox.skew("sts", 20 * minutes)
      return built
    },
    found: "clock",
    what: /20 min ahead of this machine's/,
    fix: /timedatectl set-ntp true/,
    code: "ExpiredTokenException"
  },
  {
    name: "the role is of another partition than the region",
    build: (place) => job(place, { settings: { region: "cn-north-1" } }),
    found: "flow",
    what: /^`region` cn-north-1 is in the partition aws-cn, and the role is in aws/,
    fix: /Take a region of the role's partition/
  },
  {
    name: "a session's ARN in the place of the role's",
    build: (place) =>
      job(place, { settings: { roleArn: "arn:aws:sts::111122223333:assumed-role/reader/me" } }),
    found: "flow",
    what: /^`roleArn` .* is no role's ARN/,
    fix: /arn:aws:iam::123456789012:role\/name/
  },
  {
    name: "the global endpoint of STS",
    build: (place) => job(place, { settings: { endpoint: "https://sts.amazonaws.com" } }),
    found: "flow",
    what: /^`endpoint` is the global endpoint of STS/,
    fix: /name the `region`: its own endpoint serves/
  },
  {
    name: "an AWS token for an AWS role of the same partition",
    build: async (place) => ({
      ...(await job(place)),
      source: {
        type: "aws",
        issuer: "https://00000000-0000-4000-8000-000000000000.tokens.sts.global.api.aws"
      }
    }),
    found: "flow",
    what: /tokens\.sts\.global\.api\.aws/,
    fix: /./
  },
  // Tokens of AWS STS.
  {
    name: "outbound federation is off",
    build: async (place) => {
      const built = await outbound(place)
      await iam(place.sandbox).send(new DisableOutboundWebIdentityFederationCommand({}))
      return { ...built, undo: () => enable(place.sandbox) }
    },
    found: "outbound federation",
    what: /is off in this account/,
    fix: /`aws iam enable-outbound-web-identity-federation`/
  },
  {
    name: "the role may not ask for tokens",
    build: async (place) => outbound(place, { env: await session(place) }),
    found: "source",
    what: /is not authorized to perform: sts:GetWebIdentityToken/,
    fix: /The role needs `sts:GetWebIdentityToken` on "\*"/,
    code: "AccessDenied"
  },
  {
    name: "the role may ask for tokens for another audience alone",
    build: async (place) =>
      outbound(place, {
        env: await session(place, [
          {
            Action: "sts:GetWebIdentityToken",
            Condition: {
              "ForAllValues:StringEquals": {
                "sts:IdentityTokenAudience": ["https://other.example"]
              }
            }
          }
        ])
      }),
    found: "source",
    what: /is not authorized to perform: sts:GetWebIdentityToken/,
    fix: /for the audience api:\/\/AzureADTokenExchange if its policy has the condition sts:IdentityTokenAudience/,
    code: "AccessDenied"
  },
  {
    name: "the role may not put tags into tokens",
    build: async (place) =>
      outbound(place, {
        env: await session(place, [{ Action: "sts:GetWebIdentityToken" }]),
        settings: { tags: { team: "blue" } }
      }),
    found: "source",
    what: /is not authorized to perform: sts:TagGetWebIdentityToken/,
    fix: /`sts:TagGetWebIdentityToken` where `tags` are sent/,
    code: "AccessDenied"
  },
  {
    name: "the token is to outlive the AWS session",
    build: async (place) =>
      outbound(place, {
        env: await session(place, [{ Action: "sts:GetWebIdentityToken" }]),
        settings: { duration: "1 hour" }
      }),
    found: "source",
    what: /beyond the expiration of the calling session/,
    fix: /ask for less by `duration`/,
    code: "SessionDurationEscalationException"
  },
  {
    name: "the token's tags are too large",
    build: (place) =>
      outbound(place, {
        settings: {
          tags: Object.fromEntries(
            Array.from({ length: 50 }, (_, index) => [`tag-${index}`, "x".repeat(250)])
          )
        }
      }),
    found: "source",
    what: /larger than what is allowed/,
    fix: /Take fewer or shorter `tags`/,
    code: "JWTPayloadSizeExceededException"
  },
  {
    name: "another account's credentials than those whose issuer is pinned",
    build: (place) =>
      outbound(place, {
        settings: {
          issuer: "https://00000000-0000-4000-8000-000000000000.tokens.sts.global.api.aws"
        }
      }),
    found: "source",
    what: /^`issuer` this account's issuer is/,
    fix: /another account's credentials/
  },
  {
    name: "the trust names the role's session",
    build: ({ sandbox, ...place }) =>
      outbound(
        { sandbox, ...place },
        {
          subject: `arn:aws:sts::${sandbox.aws.accountId}:assumed-role/${sandbox.aws.admin.roleName}/sandbox`
        }
      ),
    found: "sub",
    what: /is not what `subject` wants/,
    why: /One is a session of the role/,
    fix: /^Write exactly "arn:aws:iam::\d+:role\/sandbox-administrator"/,
    code: "AADSTS700213"
  },
  {
    name: "it runs with another role than the trust names",
    build: async (place) =>
      outbound(place, { env: await session(place, [{ Action: "sts:GetWebIdentityToken" }]) }),
    found: "sub",
    what: /is not what `subject` wants/,
    fix: /^Write exactly "arn:aws:iam::\d+:role\/[\w-]+" in `subject`, if that is the workload that is meant/,
    code: "AADSTS700213"
  },
  {
    name: "ES384 is set for Entra",
    build: (place) => outbound(place, { settings: { signingAlgorithm: "ES384" } }),
    found: "flow",
    what: /ES384/,
    fix: /RS256/
  },
  {
    name: "a region's description in the place of its name",
    build: (place) => outbound(place, { settings: { region: "Frankfurt" } }),
    found: "flow",
    what: /^`region` "Frankfurt" is not a region's name/,
    fix: /eu-central-1/
  }
]
