/** Flows from and to Amazon Cognito's identity pools. */
import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import { CreateOpenIDConnectProviderCommand, CreateRoleCommand } from "@aws-sdk/client-iam"
import { assert } from "@effect/vitest"
import { session } from "./aws.ts"
import { iam } from "./apis.ts"
import type { Built, Place, SetUp, WellSetUp } from "./SetUp.ts"

const provider = "my.dev.provider"
const logins = { [provider]: "my_user_id" }

interface Changes {
  /** Of the source's settings. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly env?: Built["env"]
  readonly exchanger?: Built["exchanger"]
  readonly undo?: Built["undo"]
}

const client = ({ sandbox }: Place) =>
  new CognitoIdentityClient({
    endpoint: sandbox.http,
    region: sandbox.aws.region,
    credentials: sandbox.aws.admin
  })

const asAdministrator = ({ sandbox: { aws } }: Place) => ({
  AWS_ACCESS_KEY_ID: aws.admin.accessKeyId,
  AWS_SECRET_ACCESS_KEY: aws.admin.secretAccessKey
})

const pool = async (
  place: Place,
  more: {
    readonly DeveloperProviderName?: string
    readonly AllowClassicFlow?: boolean
    readonly OpenIdConnectProviderARNs?: Array<string>
  } = { DeveloperProviderName: provider }
): Promise<string> => {
  const { IdentityPoolId } = await client(place).send(
    new CreateIdentityPoolCommand({
      IdentityPoolName: place.name,
      AllowUnauthenticatedIdentities: false,
      ...more
    })
  )
  assert.isDefined(IdentityPoolId)
  return IdentityPoolId
}

/** The id that a pool gives a user of its developer provider. */
const identity = async (place: Place, IdentityPoolId: string, user: string) => {
  const { IdentityId } = await client(place).send(
    new GetOpenIdTokenForDeveloperIdentityCommand({ IdentityPoolId, Logins: { [provider]: user } })
  )
  return IdentityId
}

/** A pool of its own, asked with all rights. */
const developer = async (place: Place, changes: Changes = {}): Promise<Built> => ({
  source: { type: "cognito", identityPoolId: await pool(place), logins, ...changes.settings },
  env: { ...asAdministrator(place), ...changes.env },
  ...(changes.exchanger && { exchanger: changes.exchanger }),
  ...(changes.undo && { undo: changes.undo })
})

/** Its own tokens for the credentials of a role of its own that trusts it, of another, or of none. */
const credentials = async (
  place: Place,
  role: "its own" | "none" | (string & {}) = "its own",
  more: object = {}
): Promise<Built> => {
  const identityPoolId = await pool(place)
  const authenticated =
    role === "none" ? undefined : role === "its own" ? await poolRole(place, identityPoolId) : role
  if (authenticated !== undefined) {
    await client(place).send(
      new SetIdentityPoolRolesCommand({ IdentityPoolId: identityPoolId, Roles: { authenticated } })
    )
  }
  return {
    source: { type: "cognito", identityPoolId, logins },
    exchanger: { type: "cognito", identityPoolId, ...more },
    env: asAdministrator(place)
  }
}

const poolRole = async ({ name, sandbox }: Place, identityPoolId: string) => {
  const { Role } = await iam(sandbox).send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Principal: { Federated: "cognito-identity.amazonaws.com" },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: { StringEquals: { "cognito-identity.amazonaws.com:aud": identityPoolId } }
        }
      })
    })
  )
  return Role?.Arn
}

/** Another issuer's token as the login. */
const login = async (
  place: Place,
  options: { readonly AllowClassicFlow?: boolean; readonly isListed?: boolean } = {}
): Promise<Built> => {
  const { name, sandbox, write } = place
  const { AllowClassicFlow = true, isListed = true } = options
  const { OpenIDConnectProviderArn: arn } = await iam(sandbox).send(
    new CreateOpenIDConnectProviderCommand({
      Url: sandbox.issuerUrl(name),
      ClientIDList: ["cognito-identity.amazonaws.com"]
    })
  )
  assert.isDefined(arn)
  const token = await sandbox.issueToken(name, {
    subject: "workload",
    audience: "cognito-identity.amazonaws.com"
  })
  return {
    source: {
      type: "cognito-login",
      identityPoolId: await pool(place, {
        AllowClassicFlow,
        OpenIdConnectProviderARNs: isListed ? [arn] : []
      }),
      source: { type: "kubernetes", tokenFile: write(token) }
    }
  }
}

/** No credentials in variables, files or of a machine. */
const nobody = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/nonexistent",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent"
}

const minutes = 60_000

export const well: ReadonlyArray<WellSetUp> = [
  { name: "a developer identity", build: developer },
  {
    name: "a pool's token for its role's credentials",
    build: (place) => credentials(place)
  },
  { name: "a public login", build: login },
  {
    name: "a public login for the pool's role's credentials, where there are no others",
    build: async (place) => {
      const built = await login(place)
      const identityPoolId = `${built.source["identityPoolId"]}`
      const authenticated = (await poolRole(place, identityPoolId)) ?? ""
      await client(place).send(
        new SetIdentityPoolRolesCommand({
          IdentityPoolId: identityPoolId,
          Roles: { authenticated }
        })
      )
      return { ...built, exchanger: { type: "cognito", identityPoolId }, env: nobody }
    }
  }
]

export const cognito: ReadonlyArray<SetUp> = [
  // Whose credentials.
  {
    name: "there are no AWS credentials",
    build: (place) => developer(place, { env: nobody }),
    found: "credentials",
    what: /There are no AWS credentials here/,
    fix: /set AWS_PROFILE/
  },
  {
    name: "AWS does not know the access key",
    build: (place) => developer(place, { env: { AWS_ACCESS_KEY_ID: "AKIAAAAAAAAAAAAAAAAA" } }),
    found: "credentials",
    what: /^InvalidClientTokenId/,
    fix: /AWS does not know the access key/
  },
  {
    name: "the secret key is another access key's",
    build: (place) => developer(place, { env: { AWS_SECRET_ACCESS_KEY: "another" } }),
    found: "credentials",
    what: /^SignatureDoesNotMatch/,
    fix: /The secret key does not belong to the access key/
  },
  {
    name: "the AWS session has ended",
    build: async (place) => {
      place.sandbox.skew("sts", -60 * minutes)
      place.sandbox.skew("issuer", -60 * minutes)
      const env = await session(place)
      place.sandbox.skew("sts", 0)
      place.sandbox.skew("issuer", 0)
      return developer(place, { env })
    },
    found: "credentials",
    what: /^ExpiredToken/,
    fix: /The AWS session has expired/
  },
  {
    name: "the machine's clock is behind",
    build: async (place) => {
      const built = await developer(place, {
        undo: () => {
          for (const service of ["sts", "cognito"] as const) place.sandbox.skew(service, 0)
        }
      })
      for (const service of ["sts", "cognito"] as const) {
        place.sandbox.skew(service, 20 * minutes)
      }
      return built
    },
    found: "clock",
    what: /20 min ahead of this machine's\.$/,
    fix: /^Set this machine's clock by the network's, `timedatectl set-ntp true`/
  },
  {
    name: "the role may not ask for the pool's tokens",
    build: async (place) => developer(place, { env: await session(place) }),
    found: "source",
    what: /is not authorized to perform: cognito-identity:GetOpenIdTokenForDeveloperIdentity/,
    fix: /^The role needs `cognito-identity:GetOpenIdTokenForDeveloperIdentity` on the pool's ARN/,
    code: "AccessDeniedException"
  },
  {
    name: "the role's policy names the pool by its name",
    build: async (place) =>
      developer(place, {
        env: await session(place, [
          {
            Action: "cognito-identity:*",
            Resource: `arn:aws:cognito-identity:us-east-1:${place.sandbox.aws.accountId}:identitypool/${place.name}`
          }
        ])
      }),
    found: "source",
    what: /is not authorized to perform/,
    fix: /identitypool\/us-east-1:[0-9a-f-]{36} \(the pool's id, not its name\)/,
    code: "AccessDeniedException"
  },
  // The pool.
  {
    name: "there is no such pool",
    build: (place) =>
      developer(place, {
        settings: { identityPoolId: "us-east-1:00000000-0000-4000-8000-000000000000" }
      }),
    found: "pool",
    what: /^ResourceNotFoundException/,
    fix: /`aws cognito-identity list-identity-pools --max-results 60 --region us-east-1`/
  },
  {
    name: "the pool is in another region",
    build: async (place) =>
      developer(place, {
        settings: {
          identityPoolId: (await pool({ ...place, name: `${place.name}-2` })).replace(
            "us-east-1",
            "eu-central-1"
          )
        }
      }),
    found: "pool",
    what: /^ResourceNotFoundException/,
    fix: /no pool eu-central-1:[0-9a-f-]+ in eu-central-1 of this account/
  },
  {
    name: "the region that is set is not the pool's",
    build: (place) => developer(place, { settings: { region: "eu-central-1" } }),
    found: "flow",
    what: /^`region` is "eu-central-1", and the pool .* is in us-east-1/,
    fix: /Leave `region` out/
  },
  {
    name: "a user pool's id in the place of the identity pool's",
    build: (place) => developer(place, { settings: { identityPoolId: "us-east-1_AbCdEfGhI" } }),
    found: "flow",
    what: /^`identityPoolId` .* is not of the form REGION:GUID/,
    fix: /not its name or ARN, and not a user pool's/
  },
  {
    name: "the developer provider differs in case",
    build: (place) => developer(place, { settings: { logins: { "My.Dev.Provider": "x" } } }),
    found: "pool",
    what: /with the developer provider "my.dev.provider", and `logins` names "My.Dev.Provider"/,
    why: /upper and lower case alone/,
    fix: /^Write exactly "my.dev.provider" in `logins`/
  },
  {
    name: "the pool has no developer provider",
    build: async (place) =>
      developer(place, {
        settings: { identityPoolId: await pool({ ...place, name: `${place.name}-2` }, {}) }
      }),
    found: "pool",
    what: /with no developer provider/,
    fix: /--developer-provider-name my.dev.provider/
  },
  {
    name: "another developer provider, and the pool may not be looked at",
    build: async (place) =>
      developer(place, {
        settings: { logins: { "other.provider": "x" } },
        env: await session(place, [
          { Action: "cognito-identity:GetOpenIdTokenForDeveloperIdentity" }
        ])
      }),
    found: "source",
    what: /does not support the specified developer provider/,
    fix: /the pool has another developer provider than other.provider/,
    code: "InvalidParameterException"
  },
  {
    name: "two developer providers",
    build: (place) =>
      developer(place, { settings: { logins: { ...logins, "other.provider": "x" } } }),
    found: "flow",
    what: /^`logins` names 2 developer providers/,
    fix: /Write the pool's developer provider with this workload's user id/
  },
  {
    name: "a public provider alone",
    build: (place) =>
      developer(place, { settings: { logins: { "accounts.google.com": "token" } } }),
    found: "flow",
    what: /^`logins` names no developer provider/,
    fix: /Write the pool's developer provider/
  },
  {
    name: "an identity of another pool",
    build: async (place) =>
      developer(place, {
        settings: {
          identityId: await identity(place, await pool({ ...place, name: `${place.name}-2` }), "x")
        }
      }),
    found: "source",
    what: /Identity '.*' not found/,
    fix: /no identity us-east-1:[0-9a-f-]+: leave `identityId` out/,
    code: "ResourceNotFoundException"
  },
  {
    name: "an identity of another user",
    build: async (place) => {
      const built = await developer(place)
      const id = `${built.source["identityPoolId"]}`
      await identity(place, id, "my_user_id")
      return { ...built, source: { ...built.source, identityId: await identity(place, id, "x") } }
    },
    found: "source",
    what: /already registered with another identity/,
    fix: /leave `identityId` out/,
    code: "DeveloperUserAlreadyRegisteredException"
  },
  {
    name: "two logins of two identities",
    build: async (place) => {
      const { name, sandbox } = place
      const { OpenIDConnectProviderArn: arn = "" } = await iam(sandbox).send(
        new CreateOpenIDConnectProviderCommand({
          Url: sandbox.issuerUrl(name),
          ClientIDList: ["cognito-identity.amazonaws.com"]
        })
      )
      const identityPoolId = await pool(place, {
        DeveloperProviderName: provider,
        OpenIdConnectProviderARNs: [arn]
      })
      const publicLogin = {
        [sandbox.issuerUrl(name).replace("https://", "")]: await sandbox.issueToken(name, {
          subject: "somebody",
          audience: "cognito-identity.amazonaws.com"
        })
      }
      await client(place).send(
        new GetOpenIdTokenForDeveloperIdentityCommand({
          IdentityPoolId: identityPoolId,
          Logins: { [provider]: "another_user", ...publicLogin }
        })
      )
      return developer(place, {
        settings: { identityPoolId, logins: { ...logins, ...publicLogin } }
      })
    },
    found: "source",
    what: /Logins are linked to different identities/,
    fix: /leave `identityId` out, or the login that belongs elsewhere/,
    code: "ResourceConflictException"
  },
  {
    name: "an identity's id of another region",
    build: (place) =>
      developer(place, {
        settings: { identityId: "eu-central-1:00000000-0000-4000-8000-000000000000" }
      }),
    found: "flow",
    what: /^`identityId` .* is no identity of a pool in us-east-1/,
    fix: /begins like its pool's/
  },
  {
    name: "tokens for two days",
    build: (place) => developer(place, { settings: { tokenDuration: "2 days" } }),
    found: "flow",
    what: /^`tokenDuration` is 172800 s/,
    fix: /from 1 s to 24 h/
  },
  {
    name: "something else answers in Cognito's place",
    build: (place) => developer(place, { settings: { endpoint: `${place.sandbox.http}/nothing` } }),
    found: "source",
    what: /answered 404/,
    fix: /the real service that answers there/
  },
  // Its tokens for its role's credentials.
  {
    name: "the pool has no role",
    build: (place) => credentials(place, "none"),
    found: "roles of the pool",
    what: /has no role for authenticated identities/,
    fix: /`aws cognito-identity set-identity-pool-roles --identity-pool-id us-east-1:/
  },
  {
    name: "the pool's role does not trust the pool",
    build: (place) => credentials(place, place.sandbox.aws.admin.roleArn),
    found: "exchange",
    what: /Check assigned IAM roles for this pool/,
    fix: /the role's trust policy does not let this pool in/,
    code: "InvalidIdentityPoolConfigurationException"
  },
  {
    name: "another role than the pool's is asked for",
    build: (place) =>
      credentials(place, "its own", {
        customRoleArn: place.sandbox.aws.admin.roleArn
      }),
    found: "exchange",
    what: /CustomRoleArn/,
    fix: /`customRoleArn`/,
    code: "NotAuthorizedException"
  },
  {
    name: "one pool's token for another pool's credentials",
    build: async (place) => {
      const built = await credentials(place)
      return {
        ...built,
        exchanger: {
          type: "cognito",
          identityPoolId: await pool({ ...place, name: `${place.name}-2` })
        }
      }
    },
    found: "flow",
    what: /us-east-1:/,
    fix: /us-east-1:/
  },
  // Public logins.
  {
    name: "the pool's basic flow is off",
    build: (place) => login(place, { AllowClassicFlow: false }),
    found: "source",
    what: /Basic \(classic\) flow is not enabled/,
    fix: /The basic \(classic\) flow must be activated \(AllowClassicFlow\)/,
    code: "NotAuthorizedException"
  },
  {
    name: "the pool does not list the login's issuer",
    build: (place) => login(place, { isListed: false }),
    found: "source",
    what: /not from a supported provider of this identity pool/,
    fix: /must have localhost:\d+\/issuers\/[\w-]+ among its identity providers/,
    code: "NotAuthorizedException"
  }
]
