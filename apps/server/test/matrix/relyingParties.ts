/** Who trusts workloads: each exchanger, with the half of a trust that is its, and what shows that its credentials serve. */
import {
  CreateIdentityPoolCommand,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import { AddClientIDToOpenIDConnectProviderCommand } from "@aws-sdk/client-iam"
import { Assertion } from "@federate/core"
import type { AccessToken, AwsCredentials, Credential } from "@federate/core"
import type { Sandbox } from "@federate/sandbox"
import { assert } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { google } from "../../../../packages/sandbox/test/google/google.ts"
import { iamClient } from "../../../../packages/sandbox/test/iam.ts"
import { graph } from "../../../../packages/sandbox/test/running.ts"
import {
  callerOf,
  createRole,
  federated,
  trustIssuer
} from "../../../../packages/sandbox/test/sts.ts"
import { cognitoClient } from "../../../../packages/sandbox/test/aws.ts"
import type { Settings, Workload } from "./platforms.ts"

export interface RelyingParty {
  /** The exchanger's adapter; without one the flow hands out its assertion. */
  readonly type: string | undefined
  /** Whom assertions for it are for, where their source can choose. */
  readonly audience: (platform: string) => string
  /**
   * Trusts a workload.
   *
   * @param platform its source's row, for names that nobody has
   * @returns what a config file says of the exchanger
   */
  readonly trust: (workload: Workload, platform: string) => Promise<Settings>
  /** Uses a credential, where its word is taken for it. */
  readonly use: (credential: Credential.Credential, workload: Workload) => Promise<void>
}

/** All of them, by their columns' names. */
export const makeRelyingParties = (
  sandbox: Sandbox.Sandbox
): Readonly<Record<string, RelyingParty>> => {
  const provider = openIdProviders(sandbox)
  return {
    none: {
      type: undefined,
      audience: () => "https://party.example",
      trust: async () => ({}),
      use: async (credential, { issuer, subject }) => {
        const { token } = tokenOf(credential)
        const said = Result.getOrThrow(Assertion.fromJwt(token, { obtainedAt: 0 }))
        assert.deepStrictEqual([said.issuer, said.subject], [issuer, subject])
      }
    },
    aws: aws(sandbox, provider),
    ...cognitos(sandbox, provider),
    entra: entra(sandbox),
    ...googles(sandbox),
    "jwt-bearer": authorizationServer(sandbox, "jwt-bearer"),
    "token-exchange": authorizationServer(sandbox, "token-exchange"),
    openai: service(sandbox, "openai", "token-exchange"),
    openrouter: service(sandbox, "openrouter", "token-exchange"),
    anthropic: service(sandbox, "anthropic", "jwt-bearer")
  }
}

const tokenOf = (credential: Credential.Credential): AccessToken => {
  // The columns that ask issue these.
  assert.propertyVal(credential, "_tag", "AccessToken")
  return credential as AccessToken
}

/** AWS knows who calls with them. */
const callAws =
  (sandbox: Sandbox.Sandbox, role: string): RelyingParty["use"] =>
  async (credential) => {
    // The columns that ask issue these.
    assert.propertyVal(credential, "_tag", "AwsCredentials")
    const arn = await callerOf(sandbox, credential as AwsCredentials)
    assert.include(arn, `:assumed-role/${role}`)
  }

const cognitoPrincipal = "cognito-identity.amazonaws.com"

/** What AWS compares with an OpenID provider's client ids. */
const clientOf = ({ audience, authorizedParty = audience }: Workload) => authorizedParty

/** Lets IAM know a workload's issuer, for one more of its audiences; gives the provider's ARN. */
const openIdProviders = (sandbox: Sandbox.Sandbox) => {
  const iam = iamClient(sandbox)
  const known = new Map<string, Promise<string>>()
  return async (workload: Workload) => {
    const { issuer } = workload
    const ClientID = clientOf(workload)
    const before = known.get(issuer)
    if (before === undefined) {
      const making = trustIssuer(sandbox, issuer, ClientID)
      known.set(issuer, making)
      return making
    }
    const OpenIDConnectProviderArn = await before
    await iam.send(
      new AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID })
    )
    return OpenIDConnectProviderArn
  }
}

/** A role for each platform. */
const aws = (
  sandbox: Sandbox.Sandbox,
  provider: ReturnType<typeof openIdProviders>
): RelyingParty => ({
  type: "aws",
  audience: () => "sts.amazonaws.com",
  trust: async (workload, platform) => {
    const { issuer, subject } = workload
    // It knows Cognito by itself.
    const isOwn = issuer === sandbox.issuer
    const name = isOwn ? cognitoPrincipal : issuer.slice("https://".length)
    const roleArn = await createRole(
      sandbox,
      `from-${platform}`,
      federated(isOwn ? name : await provider(workload), {
        StringEquals: { [`${name}:aud`]: clientOf(workload), [`${name}:sub`]: subject }
      })
    )
    return { roleArn, region: sandbox.aws.region, endpoint: sandbox.http }
  },
  use: callAws(sandbox, "from-")
})

/** The first journey's pool, with a role for who is known in it; and a pool for each platform, that its assertions log in to. */
const cognitos = (
  sandbox: Sandbox.Sandbox,
  provider: ReturnType<typeof openIdProviders>
): Readonly<Record<"cognito" | "cognito-login", RelyingParty>> => {
  const own = sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? ""
  const { roleArn, roleName } = sandbox.aws.workload
  const client = cognitoClient(sandbox)
  const setRole = (IdentityPoolId: string, authenticated: string) =>
    client.send(new SetIdentityPoolRolesCommand({ IdentityPoolId, Roles: { authenticated } }))
  return {
    cognito: {
      type: "cognito",
      audience: () => own,
      trust: async () => {
        await setRole(own, roleArn)
        return { identityPoolId: own, endpoint: sandbox.http }
      },
      use: callAws(sandbox, roleName)
    },
    "cognito-login": {
      type: "cognito-login",
      audience: () => cognitoPrincipal,
      trust: async (workload, platform) => {
        const { IdentityPoolId = "" } = await client.send(
          new CreateIdentityPoolCommand({
            IdentityPoolName: platform,
            AllowUnauthenticatedIdentities: false,
            ...(workload.issuer !== sandbox.issuer && {
              OpenIdConnectProviderARNs: [await provider(workload)]
            })
          })
        )
        const role = await createRole(
          sandbox,
          `pool-${platform}`,
          federated(cognitoPrincipal, {
            StringEquals: { [`${cognitoPrincipal}:aud`]: IdentityPoolId }
          })
        )
        await setRole(IdentityPoolId, role)
        return { identityPoolId: IdentityPoolId, endpoint: sandbox.http }
      },
      use: callAws(sandbox, "pool-")
    }
  }
}

/** An application for each platform: one trusts 20 workloads at most. */
const entra = (sandbox: Sandbox.Sandbox): RelyingParty => {
  const { create } = graph(sandbox)
  const scope = "https://graph.microsoft.com/.default"
  return {
    type: "entra",
    audience: () => "api://AzureADTokenExchange",
    trust: async ({ audience, issuer, subject }, platform) => {
      const { appId, id } = await create("applications", { displayName: platform })
      await create("servicePrincipals", { appId })
      await create(`applications/${String(id)}/federatedIdentityCredentials`, {
        name: platform,
        issuer,
        subject,
        audiences: [audience]
      })
      return {
        tenantId: sandbox.entra.tenantId,
        clientId: appId,
        authorityHost: sandbox.http,
        scopes: [scope]
      }
    },
    use: async (credential) => {
      const bearer = Redacted.value(tokenOf(credential).token)
      // It may do nothing; that it is told so says that Graph knows it.
      const { code } = await graph(sandbox, bearer).refused(403, "GET", "applications")
      assert.strictEqual(code, "Authorization_RequestDenied")
    }
  }
}

/** A pool with a provider for each platform, all of which may act as one service account. */
const googles = (
  sandbox: Sandbox.Sandbox
): Readonly<Record<"google" | "google-id-token", RelyingParty>> => {
  const { call } = google(sandbox)
  const { projectId, projectNumber } = sandbox.google
  const project = `projects/${projectNumber}`
  const pool = `${project}/locations/global/workloadIdentityPools/platforms`
  const serviceAccount = `workload@${projectId}.iam.gserviceaccount.com`
  const provider = (platform: string) => `from-${platform}`
  const audience = (platform: string) =>
    `https://iam.googleapis.com/${pool}/providers/${provider(platform)}`
  const once = <A>(make: () => Promise<A>) => {
    let made: Promise<A> | undefined
    return () => (made ??= make())
  }
  const setUp = once(async () => {
    await call("POST", pool.replace("/platforms", "?workloadIdentityPoolId=platforms"), {})
    await call("POST", `${project}/serviceAccounts`, { accountId: "workload" })
    await call("POST", `${project}/serviceAccounts/${serviceAccount}:setIamPolicy`, {
      policy: {
        bindings: [
          {
            role: "roles/iam.workloadIdentityUser",
            members: [`principalSet://iam.googleapis.com/${pool}/*`]
          }
        ]
      }
    })
  })
  const trusted = new Map<string, Promise<unknown>>()
  const trust = async (workload: Workload, platform: string) => {
    await setUp()
    const making =
      trusted.get(platform) ??
      call("POST", `${pool}/providers?workloadIdentityPoolProviderId=${provider(platform)}`, {
        attributeMapping: { "google.subject": "assertion.sub" },
        attributeCondition: `assertion.sub == '${workload.subject}'`,
        oidc: {
          issuerUri: workload.issuer,
          ...(workload.audience !== audience(platform) && {
            allowedAudiences: [workload.audience]
          })
        }
      })
    trusted.set(platform, making)
    await making
    return {
      audience: audience(platform).replace("https:", ""),
      stsEndpoint: `${sandbox.http}/v1/token`,
      iamCredentialsEndpoint: sandbox.http,
      serviceAccount
    }
  }
  return {
    google: {
      type: "google",
      audience,
      trust,
      use: async (credential) => {
        const token = Redacted.value(tokenOf(credential).token)
        // It may do nothing; what it is refused says that Google knows it.
        const { message } = await google(sandbox, token).refused(403, "GET", project)
        assert.match(message, /resourcemanager\.projects\.get/)
      }
    },
    "google-id-token": {
      type: "google-id-token",
      audience,
      trust: async (...of) => ({
        ...(await trust(...of)),
        idTokenAudience: "https://party.example"
      }),
      use: async (credential) => {
        const { token } = tokenOf(credential)
        const said = Result.getOrThrow(Assertion.fromJwt(token, { obtainedAt: 0 }))
        assert.strictEqual(said.issuer, sandbox.google.issuer)
        assert.deepStrictEqual(said.audience, ["https://party.example"])
      }
    }
  }
}

const authorizationServer = (
  sandbox: Sandbox.Sandbox,
  type: "jwt-bearer" | "token-exchange"
): RelyingParty => {
  const { issuer, tokenEndpoint } = sandbox.oauth
  return {
    type,
    audience: () => issuer,
    trust: async (workload) => {
      sandbox.trustAssertion(workload)
      return { tokenEndpoint }
    },
    use: async (credential) => {
      const said = Result.getOrThrow(
        Assertion.fromJwt(tokenOf(credential).token, { obtainedAt: 0 })
      )
      assert.strictEqual(said.issuer, issuer)
    }
  }
}

const service = (
  sandbox: Sandbox.Sandbox,
  name: "anthropic" | "openai" | "openrouter",
  type: "jwt-bearer" | "token-exchange"
): RelyingParty => {
  const { parameters, tokenEndpoint, url } = sandbox.services[name]
  return {
    type,
    audience: () => tokenEndpoint,
    trust: async (workload) => {
      sandbox.trustAssertion(workload)
      return { service: name, tokenEndpoint, parameters }
    },
    use: async (credential) => {
      const { token, tokenType } = tokenOf(credential)
      const response = await fetch(`${url}/v1/models`, {
        headers: { authorization: `${tokenType} ${Redacted.value(token)}` }
      })
      assert.strictEqual(response.status, 200)
    }
  }
}
