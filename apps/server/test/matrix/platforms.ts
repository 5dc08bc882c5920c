/** Where workloads run: each source, in surroundings that are all its own, with who it says that the workload is. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  CreateIdentityPoolCommand,
  GetIdCommand,
  LookupDeveloperIdentityCommand
} from "@aws-sdk/client-cognito-identity"
import { generateSigningKey, publication, readSigningKey } from "@federate/oidc"
import type { Sandbox } from "@federate/sandbox"
import type { Fetch } from "@federate/http"
import { Effect, Redacted } from "effect"
import { agent } from "../../../../packages/ambient/test/spiffe/agent.ts"
import { privateKeys } from "../../../../packages/oidc/test/keys.ts"
import { api, startProvider } from "../../../../packages/oidc/test/oidcProvider.ts"
import { makeJobs } from "./jobs.ts"
import { listening } from "./listening.ts"
import { cognitoClient } from "../../../../packages/sandbox/test/aws.ts"
import { allow, enableOutbound, trustIssuer } from "../../../../packages/sandbox/test/sts.ts"

/** What a relying party is to believe. */
export interface Workload {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** `azp`, where it says one: AWS looks at that in the audience's place. */
  readonly authorizedParty?: string
}

/** What stands under a config file's `source:`. */
export type Settings = Readonly<Record<string, unknown>>

export interface Platform {
  /** Who the workload is there, where it is to be traded at a relying party that wants this audience. */
  readonly workload: (audience: string) => Workload
  /**
   * The source that gives its assertions, laid out for them.
   *
   * @param target the relying party's column
   */
  readonly source: (audience: string, target: string) => Promise<Settings>
  /** Where an address that nothing changes must lead here. */
  readonly fetch?: Fetch
}

export interface World {
  readonly sandbox: Sandbox.Sandbox
  readonly folder: string
  /** Of the process that the flows run in. */
  readonly variables: Map<string, string>
}

/** The issuer of one's own that the sandbox finds on this machine. */
export const ownIssuer = "https://id.example"
const kubernetes = { namespace: "apps", name: "workload" }

/** All of them, by their adapters' types. */
export const makePlatforms = Effect.fnUntraced(function* (world: World, publish: Publish) {
  const { folder, sandbox, variables } = world
  const cluster = (audience: string): Workload => ({
    issuer: sandbox.issuerUrl("kubernetes"),
    subject: "system:serviceaccount:apps:workload",
    audience
  })
  /** One of the sandbox's plain issuers. */
  const plain = (issuer: string, subject: string) => ({
    workload: (audience: string): Workload => ({
      issuer: sandbox.issuerUrl(issuer),
      subject,
      audience
    }),
    token: (audience: string) => sandbox.issueToken(issuer, { subject, audience })
  })
  const file = async (name: string, text: string) => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }

  const platforms: Record<string, Platform> = {
    kubernetes: {
      workload: cluster,
      source: async (audience) => ({
        tokenFile: await file("pod", await sandbox.serviceAccountToken(kubernetes, audience))
      })
    },
    "kubernetes-token-request": {
      workload: cluster,
      source: async (audience) => ({
        tokenFile: await file("own", await sandbox.serviceAccountToken(kubernetes)),
        caFile: await file("ca.crt", sandbox.caPem),
        audience
      })
    },
    ...(yield* makeJobs(world, plain)),
    spiffe: yield* spiffe(plain("spire", "spiffe://example.org/workload"), variables),
    vault: yield* vault(plain("vault", "0b6a3c5e-5b0e-4c3f-9a4e-2f4e0c6a0001"), variables),
    "google-metadata": googleMetadata(world),
    "azure-managed-identity": azureManagedIdentity(world),
    aws: yield* aws(world),
    cognito: yield* cognito(world),
    "cognito-login": yield* cognitoLogin(world, plain("logins", "somebody")),
    "google-external-account": externalAccount(plain("platform", "workload"), file),
    "oidc-client-credentials": yield* openIdProvider(),
    "self-signed": yield* selfSigned(publish, file)
  }
  return platforms
})

/** What an issuer that says nothing of its own does. */
export interface Plain {
  readonly workload: Platform["workload"]
  readonly token: (audience: string) => Promise<string>
}

const spiffe = Effect.fnUntraced(function* (
  { token, workload }: Plain,
  variables: World["variables"]
) {
  // The agent answers at once; so the SVID is made before.
  let svid = ""
  const { socket } = yield* agent(() => ({
    svids: [{ spiffeId: "spiffe://example.org/workload", svid }]
  }))
  variables.set("SPIFFE_ENDPOINT_SOCKET", socket)
  return {
    workload,
    source: async (audience: string) => {
      svid = await token(audience)
      return { audience }
    }
  }
})

/** The role's client id is the audience, whoever asks. */
const vault = Effect.fnUntraced(function* (
  { token, workload }: Plain,
  variables: World["variables"]
) {
  let clientId = ""
  const address = yield* listening(async ({ headers, url }, response) => {
    const isAllowed = headers["x-vault-token"] === "hvs.secret"
    const data = isAllowed && url === "/v1/identity/oidc/token/workload"
    response
      .writeHead(data ? 200 : 403)
      .end(
        JSON.stringify(
          data
            ? { data: { client_id: clientId, token: await token(clientId), ttl: 300 } }
            : { errors: ["permission denied"] }
        )
      )
  })
  variables.set("VAULT_ADDR", address)
  variables.set("VAULT_TOKEN", "hvs.secret")
  return {
    workload,
    source: async (audience: string) => {
      clientId = audience
      return { role: "workload" }
    }
  }
})

const googleMetadata = ({ sandbox, variables }: World): Platform => {
  const { uniqueId } = sandbox.attachServiceAccount()
  for (const [name, value] of Object.entries(sandbox.platforms.googleMachine))
    variables.set(name, value)
  return {
    workload: (audience) => ({
      issuer: sandbox.google.issuer,
      subject: uniqueId,
      audience,
      authorizedParty: uniqueId
    }),
    source: async (audience) => ({ audience })
  }
}

const exchangeAudience = "api://AzureADTokenExchange"

/** For Entra the exchange's own resource, which it takes alone; for others an application of the tenant. */
const azureManagedIdentity = ({ sandbox, variables }: World): Platform => {
  const { clientId, issuer, principalId } = sandbox.assignManagedIdentity()
  const resource = sandbox.entra.clientId ?? ""
  for (const [name, value] of Object.entries(sandbox.platforms.appService))
    variables.set(name, value)
  return {
    workload: (audience) => ({
      issuer,
      subject: principalId,
      audience: audience === exchangeAudience ? audience : resource
    }),
    source: async (audience) => ({
      clientId,
      ...(audience !== exchangeAudience && { resource })
    })
  }
}

const aws = Effect.fnUntraced(function* ({ sandbox }: World) {
  const { roleArn, roleName } = sandbox.aws.workload
  const issuer = yield* Effect.promise(async () => {
    await allow(sandbox, roleName, "sts:GetWebIdentityToken")
    return enableOutbound(sandbox)
  })
  return {
    workload: (audience: string) => ({ issuer, subject: roleArn, audience }),
    // For AWS as it is there, where the issuer is known before any call.
    source: async (audience: string, target: string) => ({
      audiences: [audience],
      ...(target === "aws" ? { region: sandbox.aws.region } : { endpoint: sandbox.http })
    })
  }
})

/** The first journey's pool. */
const cognito = Effect.fnUntraced(function* ({ sandbox }: World) {
  const identityPoolId = sandbox.env["COGNITO_IDENTITY_POOL_ID"] ?? ""
  const { IdentityId = "" } = yield* Effect.promise(() =>
    cognitoClient(sandbox).send(
      new LookupDeveloperIdentityCommand({
        IdentityPoolId: identityPoolId,
        DeveloperUserIdentifier: "my_user_id"
      })
    )
  )
  return {
    workload: () => ({ issuer: sandbox.issuer, subject: IdentityId, audience: identityPoolId }),
    source: async () => ({
      identityPoolId,
      logins: { "my.dev.provider": "my_user_id" },
      endpoint: sandbox.http
    })
  }
})

/** A pool that another issuer's assertions log in to. */
const cognitoLogin = Effect.fnUntraced(function* (world: World, { token, workload }: Plain) {
  const { folder, sandbox } = world
  const login = "cognito-identity.amazonaws.com"
  const tokenFile = join(folder, "login")
  const { IdentityId = "", identityPoolId } = yield* Effect.promise(async () => {
    const { issuer } = workload(login)
    const provider = await trustIssuer(sandbox, issuer, login)
    const client = cognitoClient(sandbox)
    const { IdentityPoolId = "" } = await client.send(
      new CreateIdentityPoolCommand({
        IdentityPoolName: "logins",
        AllowUnauthenticatedIdentities: false,
        AllowClassicFlow: true,
        OpenIdConnectProviderARNs: [provider]
      })
    )
    const jwt = await token(login)
    await writeFile(tokenFile, jwt)
    const identity = await client.send(
      new GetIdCommand({ IdentityPoolId, Logins: { [issuer.replace("https://", "")]: jwt } })
    )
    return { ...identity, identityPoolId: IdentityPoolId }
  })
  return {
    workload: () => ({ issuer: sandbox.issuer, subject: IdentityId, audience: identityPoolId }),
    source: async () => ({
      identityPoolId,
      endpoint: sandbox.http,
      source: { type: "file", path: tokenFile }
    })
  }
})

type WriteFile = (name: string, text: string) => Promise<string>

/** What `gcloud iam workload-identity-pools create-cred-config` writes, and the token that it leads to. */
const externalAccount = ({ token, workload }: Plain, file: WriteFile): Platform => ({
  workload,
  source: async (audience) => ({
    credentialsFile: await file(
      "external-account.json",
      JSON.stringify({
        type: "external_account",
        audience:
          "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: "https://sts.googleapis.com/v1/token",
        credential_source: { file: await file("external-account.token", await token(audience)) }
      })
    )
  })
})

/** A real one (npm oidc-provider), whose tokens are for an API of its own. */
const openIdProvider = Effect.fnUntraced(function* () {
  const { issuer } = yield* startProvider(privateKeys.p256.export({ format: "jwk" }))
  return {
    workload: () => ({ issuer, subject: "by-basic", audience: "the-api" }),
    source: async () => ({
      issuer,
      client: { id: "by-basic", secret: "the:client secret" },
      resource: [api]
    })
  }
})

/** Puts documents where the sandbox looks for {@link ownIssuer}'s. */
export type Publish = (documents: Readonly<Record<string, unknown>>) => void

const selfSigned = Effect.fnUntraced(function* (publish: Publish, file: WriteFile) {
  const key = yield* generateSigningKey("RS256")
  publish(publication(ownIssuer, [(yield* readSigningKey("", key)).published]))
  const privateKeyFile = yield* Effect.promise(() => file("signing-key.pem", Redacted.value(key)))
  return {
    workload: (audience: string) => ({ issuer: ownIssuer, subject: "build", audience }),
    source: async (audience: string) => ({
      issuer: ownIssuer,
      subject: "build",
      audience,
      privateKeyFile
    })
  }
})
