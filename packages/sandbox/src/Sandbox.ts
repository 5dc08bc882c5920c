/** Local stand-ins for Cognito, IAM, STS, Entra, Microsoft Graph, Google Cloud, GitHub, any OpenID issuer and token endpoints, over http and https. */
import { randomBytes, randomUUID } from "node:crypto"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Account from "./aws/Account.ts"
import * as Iam from "./aws/Iam.ts"
import * as Sts from "./aws/Sts.ts"
import type { WebIdentities } from "./aws/WebIdentity.ts"
import * as Cognito from "./cognito/Cognito.ts"
import type { IdentityPools } from "./cognito/IdentityPools.ts"
import * as CognitoIssuer from "./cognito/Issuer.ts"
import * as AccessToken from "./entra/AccessToken.ts"
import * as AppService from "./entra/AppService.ts"
import * as Directory from "./entra/Directory.ts"
import * as Entra from "./entra/Entra.ts"
import * as InstanceMetadata from "./entra/InstanceMetadata.ts"
import * as ManagedIdentities from "./entra/ManagedIdentities.ts"
import type { Tenant } from "./entra/TokenEndpoint.ts"
import * as GitHub from "./github/GitHub.ts"
import type { JobOptions } from "./github/Job.ts"
import * as Google from "./google/Google.ts"
import * as MetadataServer from "./google/MetadataServer.ts"
import * as GoogleProject from "./google/Project.ts"
import * as GoogleTokens from "./google/Tokens.ts"
import * as Graph from "./graph/Graph.ts"
import * as IssuerKeys from "./issuer/IssuerKeys.ts"
import * as Issuers from "./issuer/Issuers.ts"
import * as Certificates from "./kernel/Certificates.ts"
import * as Endpoint from "./kernel/Endpoint.ts"
import type { Pattern, Service } from "./kernel/Endpoint.ts"
import type { Fault, When } from "./kernel/Fault.ts"
import * as Listener from "./kernel/Listener.ts"
import * as Script from "./kernel/Script.ts"
import * as Server from "./kernel/Server.ts"
import * as ServiceClock from "./kernel/ServiceClock.ts"
import * as Cluster from "./kubernetes/Cluster.ts"
import type { Publish } from "./KeyRing.ts"
import * as AuthorizationServer from "./oauth/AuthorizationServer.ts"
import * as Services from "./oauth/Services.ts"
import * as Trust from "./oauth/Trust.ts"
import type { Options, Trust as AssertionTrust } from "./Options.ts"
import { SandboxError } from "./SandboxError.ts"
import * as Setup from "./Setup.ts"

/** An AWS access key that acts as a role. It opens nothing but this sandbox. */
export interface AwsKeys {
  readonly roleName: string
  readonly roleArn: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Who signs tokens, and can be given a new key. */
export type Signer = "cognito" | "sts" | "entra" | "google" | "oauth" | { readonly issuer: string }

export interface AccessTokenOptions {
  /** Application permissions, such as `Application.Read.All`. Default: none. */
  readonly roles?: ReadonlyArray<string>
  /** Default `https://graph.microsoft.com`. */
  readonly audience?: string
  /** Negative numbers of milliseconds make a token that has ended. Default: what Entra's tokens live here. */
  readonly lifetime?: number
}

export interface UserTokenOptions {
  /** Default `user@sandbox.onmicrosoft.com`, who is there from the first time on, as is any other. */
  readonly user?: string
  /** Default: the first journey's application. */
  readonly audience?: string
  /** What the user lets the client do there. Default `access_as_user`; with none it is no access token. */
  readonly scopes?: ReadonlyArray<string>
  /** Negative numbers of milliseconds make a token that has ended. Default: what Entra's tokens live here. */
  readonly lifetime?: number
}

/**
 * A running sandbox. Its controls (`fault`, `count`, `skew`, …) change memory and nothing else, at once; the names
 * they take are checked, and a wrong one is thrown as a {@link SandboxError} that lists the right ones.
 */
export interface Sandbox {
  /** `http://localhost:PORT`: everything is served here, and AWS SDKs are pointed here. */
  readonly http: string
  /** `https://localhost:PORT`: everything is served here too, and Azure's clients want it so. */
  readonly https: string
  /** The issuer of Cognito's tokens. */
  readonly issuer: string
  /** The certificate to trust, PEM. */
  readonly caPem: string
  /** Where that was written, if a directory was given. */
  readonly caFile?: string
  /** Exactly the variables that clients need. */
  readonly env: Readonly<Record<string, string>>

  readonly aws: {
    readonly accountId: string
    readonly region: string
    /** Whose keys are in `env`. */
    readonly workload: AwsKeys
    /** May do everything. */
    readonly admin: AwsKeys
    /** The role that {@link Options.aws} lets an assertion assume. */
    readonly federatedRoleArn?: string
  }
  readonly entra: {
    readonly tenantId: string
    /** The first journey's application. */
    readonly clientId?: string
    /** A bearer token for Graph that may write applications and grant permissions; for a day. */
    readonly adminToken: string
  }

  readonly google: {
    readonly projectId: string
    /** What stands in a pool's full name, and so in an audience. */
    readonly projectNumber: string
    /** A bearer token of the project's owner, for the IAM API; for a day. */
    readonly adminToken: string
    /** The issuer of service accounts' ID tokens. */
    readonly issuer: string
  }

  readonly github: {
    /** The issuer of jobs' tokens: the plain issuer `github`. */
    readonly issuer: string
    /** A bearer token for the REST API, as far as it is here: `/repos/OWNER/NAME/actions/oidc/customization/sub`. */
    readonly token: string
    /** Starts a job of a workflow, which can ask for tokens about itself if the workflow permits it. */
    readonly startJob: (options?: JobOptions) => GitHub.RunningJob
  }
  /** A plain authorization server: token exchange (RFC 8693) and the JWT bearer grant (RFC 7523). */
  readonly oauth: { readonly issuer: string; readonly tokenEndpoint: string }
  /** Services that take assertions, each with what of its own it wants to be told. */
  readonly services: Readonly<Record<Services.ServiceName, Services.RunningService>>
  /** Makes both trust one more assertion, for whose issuer or subject is known only now. */
  readonly trustAssertion: (trust: AssertionTrust) => void

  /**
   * Makes an endpoint, or all of a service (`cognito.*`), go wrong from now on, on every call or on some. Faults
   * apply in the order they were set; the first that is not a latency ends a call. Gives the function that lifts it.
   */
  readonly fault: (pattern: Pattern, fault: Fault, when?: When) => () => void
  /** Lifts all faults. */
  readonly clearFaults: () => void
  /** How many calls an endpoint, or all of a service, has had since the start, faults included. */
  readonly count: (pattern: Pattern) => number
  /**
   * Signs with a new key from now on, and says what the key set shows: the new key with the old ones (default), the
   * new one alone, or the old ones alone. Gives the new keys' ids.
   */
  readonly rotateKeys: (signer: Signer, publish?: Publish) => ReadonlyArray<string>
  /** Sets a service's clock wrong by so many milliseconds; negative is behind. */
  readonly skew: (service: Service, millis: number) => void
  /**
   * How long what is made or changed stays unseen where it matters: an application, credential or grant by Entra's token
   * endpoint, a pool, provider or policy by Google, a role, provider or policy by STS and AWS's authorization.
   */
  readonly propagation: (delay: Duration.Input) => void

  /**
   * Graph refuses, from now on, the tokens that Entra has issued before to clients that can answer a claims challenge
   * (`cp1`), and challenges them: continuous access evaluation.
   */
  readonly revokeTokens: () => void

  /** A plain issuer's URL: `https://localhost:PORT/issuers/NAME`. It exists from the first time it is asked for. */
  readonly issuerUrl: (name: string) => string
  /** A token by a plain issuer, with whatever claims. */
  readonly issueToken: (name: string, options: Issuers.TokenOptions) => Promise<string>
  /** A user's access token as Entra issues them: what an application trades for another on the user's behalf. */
  readonly userToken: (options?: UserTokenOptions) => Promise<string>
  /** Consents, as an administrator for all users, to permissions of a resource's for the first journey's application. */
  readonly consent: (scope: string) => void
  /** The variables that a workload has on each platform that is stood in for. */
  readonly platforms: {
    /** Azure's App Service, Functions and Container Apps. */
    readonly appService: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string }
    /** Azure's virtual machines. */
    readonly azureMachine: { readonly AZURE_POD_IDENTITY_AUTHORITY_HOST: string }
    /** Google's machines: Compute Engine and whatever has its metadata server. */
    readonly googleMachine: { readonly GCE_METADATA_HOST: string; readonly GCE_METADATA_IP: string }
    /** A pod in a cluster, whose API server is at `https`, with the sandbox's certificate. */
    readonly kubernetes: {
      readonly KUBERNETES_SERVICE_HOST: string
      readonly KUBERNETES_SERVICE_PORT: string
    }
  }
  /**
   * Assigns a user-assigned managed identity to the machine that the sandbox stands in for: its tokens come from
   * `/metadata/identity/oauth2/token`, as on a virtual machine, and from App Service's endpoint.
   *
   * @param tenantId the directory that it lives in; by default the sandbox's
   */
  readonly assignManagedIdentity: (tenantId?: string) => ManagedIdentities.ManagedIdentity
  /** Attaches a new service account to the machine that the sandbox stands in for; the first is its default one. */
  readonly attachServiceAccount: () => { readonly email: string; readonly uniqueId: string }
  /**
   * The token of a Kubernetes service account, as the kubelet writes it into a pod's volume; the cluster's issuer is the
   * plain issuer `kubernetes`. The account, which may ask the API server for tokens of its own, exists from the first
   * time on.
   *
   * @param audience whom it is for; by default the API server
   */
  readonly serviceAccountToken: (
    account: Cluster.ServiceAccount,
    audience?: string
  ) => Promise<string>
  /** An access token as Entra issues them, with whatever roles. */
  readonly accessToken: (options?: AccessTokenOptions) => Promise<string>
  /** Makes this process trust the sandbox's certificate, in `fetch` and in `https`. Gives the function that undoes it. */
  readonly trust: () => () => void
}

/** Who owns Google's project. */
const googleAdministrator = "administrator@sandbox.example"

/** How long an administrator's token lives, in seconds. */
const adminTokenLifetime = 24 * 3600

/** Runs a sandbox until the scope closes. */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Sandbox, SandboxError, Scope.Scope> {
  const host = options.host ?? "127.0.0.1"
  // Before any work is done in vain.
  yield* Listener.checkLoopback(host)
  const region = options.region ?? "us-east-1"
  const clock = ServiceClock.make()
  const script = Script.make()
  // Keys are made in the background from here on, while the rest starts.
  const cognitoKeys = CognitoIssuer.makeKeys(region)
  const entraKeys = AccessToken.makeKeys()
  const googleKeys = Google.makeKeys()
  const oauthKeys = AuthorizationServer.makeKeys()
  const certificates = yield* Certificates.make(options.certificateNames)
  const listener = yield* Listener.make({
    host,
    httpPort: options.httpPort ?? 0,
    httpsPort: options.httpsPort ?? 0,
    certificates
  })
  const http = `http://localhost:${listener.httpPort}`
  const https = `https://localhost:${listener.httpsPort}`

  /** How long what is made stays unseen elsewhere, in milliseconds. */
  let propagation = Duration.toMillis(options.entra?.propagation ?? 0)
  // Without a delay everything is seen, whatever the clock was when it was made.
  const seenUntil = (now: number) => (propagation === 0 ? Infinity : now - propagation)
  const account = Account.make(region, seenUntil)
  const pools: IdentityPools = new Map()
  const cognito: CognitoIssuer.Issuer = {
    url: options.cognito?.issuer ?? https,
    keys: cognitoKeys,
    base64Defect: options.cognito?.base64Defect ?? false
  }
  // What is under this sandbox's own names needs neither DNS nor trust in its certificate.
  const issuerKeys = IssuerKeys.make({ [https]: http, [cognito.url]: http, ...options.issuers })
  const identities: WebIdentities = { account, keys: issuerKeys, cognito: cognito.url }
  const tenantId = randomUUID()
  const managedIdentities = new Set<ManagedIdentities.ManagedIdentity>()
  const tenant: Tenant = {
    directory: Directory.make(tenantId),
    authority: https,
    issuer: `${https}/${tenantId}/v2.0`,
    keys: entraKeys,
    issuerKeys,
    tokenLifetime: wholeSeconds(options.entra?.tokenLifetime ?? "3599 seconds"),
    clockTolerance: Duration.toMillis(options.entra?.clockTolerance ?? "5 minutes"),
    seenUntil,
    revokedAt: 0
  }
  const issuers = Issuers.make(https, clock)
  const githubToken = `ghp_${randomBytes(18).toString("hex")}`
  const github = GitHub.make(http, issuers, githubToken)
  const google: Google.Cloud = {
    project: GoogleProject.make(googleAdministrator),
    tokens: GoogleTokens.make(),
    issuerKeys,
    keys: googleKeys,
    clockTolerance: 60_000,
    seenUntil
  }

  const appService = AppService.make({ tenant, managedIdentities, clock }, http)
  const attached = new Set<string>()
  const cluster = Cluster.make({ issuers, issuerKeys, clock })
  const trusted = Trust.make(issuerKeys, issuers.url, options.oauth?.trust)
  const services = Services.make(https, trusted, clock)

  yield* Server.serve({
    listener,
    clock,
    script,
    // Entra comes last: it takes what nobody else does.
    services: [
      Iam.make(account, https, clock),
      Sts.make(identities, clock),
      Cognito.make({ identities, pools, issuer: cognito, clock }),
      issuers.service,
      github.service,
      AuthorizationServer.make(
        { base: https, clock, trust: trusted, keys: oauthKeys },
        options.oauth
      ),
      services.service,
      Google.make({ cloud: google, base: https, clock }),
      Graph.make({ tenant, base: https, clock }),
      InstanceMetadata.make({ tenant, managedIdentities, clock }),
      appService.service,
      MetadataServer.make({ ...google, issuer: Google.issuerOf(https), attached, clock }),
      cluster.service,
      Entra.make({ tenant, managedIdentities, base: https, clock })
    ]
  })

  const now = yield* Clock.currentTimeMillis
  const roles = Setup.accounts(account, now)
  const journey =
    (options.setup ?? "first-journey") === "first-journey"
      ? Setup.firstJourney({
          account,
          pools,
          issuer: cognito.url,
          directory: tenant.directory,
          role: roles.workload.role,
          now
        })
      : undefined

  const trust = options.aws?.trust
  const federated =
    trust &&
    Setup.federatedRole(
      account,
      {
        ...trust,
        issuer: trust.issuer.startsWith("https://") ? trust.issuer : issuers.url(trust.issuer)
      },
      now
    )

  const mint = Effect.fnUntraced(function* (asked: AccessTokenOptions) {
    return yield* AccessToken.mint(entraKeys, {
      issuer: tenant.issuer,
      tenantId,
      audience: asked.audience ?? "https://graph.microsoft.com",
      client: { id: randomUUID(), appId: randomUUID(), displayName: "Sandbox administrator" },
      roles: asked.roles ?? [],
      lifetime:
        asked.lifetime === undefined ? tenant.tokenLifetime : Math.floor(asked.lifetime / 1000),
      now: yield* clock.now("entra")
    })
  })
  const mintForUser = Effect.fnUntraced(function* (asked: UserTokenOptions) {
    const { lifetime, scopes = ["access_as_user"], user = "user@sandbox.onmicrosoft.com" } = asked
    return yield* AccessToken.mint(entraKeys, {
      issuer: tenant.issuer,
      tenantId,
      audience: asked.audience ?? journey?.clientId ?? "",
      client: { id: randomUUID(), appId: randomUUID(), displayName: "A page", proof: "none" },
      delegated: { user: Directory.userNamed(tenant.directory, user), scopes },
      lifetime: lifetime === undefined ? tenant.tokenLifetime : Math.floor(lifetime / 1000),
      now: yield* clock.now("entra")
    })
  })
  const adminToken = yield* mint({
    roles: ["Application.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"],
    lifetime: adminTokenLifetime * 1000
  })
  const googleAdminToken = google.tokens.issue({
    principal: { _tag: "User", email: googleAdministrator },
    scopes: [Google.cloudPlatform],
    expiresAt: now + adminTokenLifetime * 1000
  })
  const workload = toAwsKeys(roles.workload)
  const admin = toAwsKeys(roles.admin)
  const caFile =
    options.directory === undefined
      ? undefined
      : yield* writeCertificate(options.directory, certificates.ca)
  const context = yield* Effect.context()
  const run = Effect.runPromiseWith(context)

  const sandbox: Sandbox = {
    http,
    https,
    issuer: cognito.url,
    caPem: certificates.ca,
    ...(caFile !== undefined && { caFile }),
    env: {
      AWS_ENDPOINT_URL_COGNITO_IDENTITY: http,
      AWS_ENDPOINT_URL_IAM: http,
      AWS_ENDPOINT_URL_STS: http,
      AWS_ACCESS_KEY_ID: workload.accessKeyId,
      AWS_SECRET_ACCESS_KEY: workload.secretAccessKey,
      AWS_REGION: region,
      // What the Python SDK and its command line read in its place.
      AWS_DEFAULT_REGION: region,
      AZURE_AUTHORITY_HOST: https,
      AZURE_TENANT_ID: tenantId,
      GRAPH_BASE_URL: https,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: `${http}/`,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: `${http}/`,
      FEDERATE_SANDBOX_ADMIN_TOKEN: adminToken,
      FEDERATE_SANDBOX_ADMIN_ACCESS_KEY_ID: admin.accessKeyId,
      FEDERATE_SANDBOX_ADMIN_SECRET_ACCESS_KEY: admin.secretAccessKey,
      ...(journey && {
        AZURE_CLIENT_ID: journey.clientId,
        COGNITO_IDENTITY_POOL_ID: journey.identityPoolId
      }),
      ...(federated && { AWS_ROLE_ARN: federated.arn }),
      ...(caFile !== undefined && { NODE_EXTRA_CA_CERTS: caFile })
    },
    aws: {
      accountId: account.id,
      region,
      workload,
      admin,
      ...(federated && { federatedRoleArn: federated.arn })
    },
    entra: { tenantId, adminToken, ...(journey && { clientId: journey.clientId }) },
    google: {
      projectId: google.project.id,
      projectNumber: google.project.number,
      adminToken: googleAdminToken,
      issuer: Google.issuerOf(https)
    },
    github: {
      issuer: issuers.url(GitHub.issuerName),
      token: githubToken,
      startJob: github.startJob
    },
    oauth: {
      issuer: AuthorizationServer.issuerOf(https),
      tokenEndpoint: `${AuthorizationServer.issuerOf(https)}/token`
    },
    services: services.running,
    trustAssertion: trusted.add,
    fault: (pattern, fault, when = "every") => Result.getOrThrow(script.set(pattern, fault, when)),
    clearFaults: script.clear,
    count: (pattern) => Result.getOrThrow(script.count(pattern)),
    rotateKeys: (signer, publish) => {
      if (signer === "cognito") return [cognitoKeys.rotate(publish)]
      if (signer === "sts") {
        return Object.values(account.outbound?.keys ?? {}).map((ring) => ring.rotate(publish))
      }
      if (signer === "entra") return [entraKeys.rotate(publish)]
      if (signer === "oauth") return [oauthKeys.rotate(publish)]
      if (signer === "google") return [googleKeys.rotate(publish)]
      return issuers.rotate(signer.issuer, publish)
    },
    skew: (service, millis) =>
      clock.skew(Result.getOrThrow(Endpoint.checkService(service)), millis),
    propagation: (delay) => void (propagation = Duration.toMillis(delay)),
    revokeTokens: () =>
      void (tenant.revokedAt = ServiceClock.seconds(
        Effect.runSyncWith(context)(clock.now("entra"))
      )),
    issuerUrl: issuers.url,
    issueToken: (name, asked) => run(issuers.issue(name, asked)),
    accessToken: (asked = {}) => run(mint(asked)),
    userToken: (asked = {}) => run(mintForUser(asked)),
    consent: (scope) => Directory.grant(tenant.directory, journey?.clientId ?? "", scope),
    platforms: {
      appService: appService.variables,
      azureMachine: { AZURE_POD_IDENTITY_AUTHORITY_HOST: http },
      googleMachine: {
        GCE_METADATA_HOST: new URL(http).host,
        GCE_METADATA_IP: new URL(http).host
      },
      kubernetes: {
        KUBERNETES_SERVICE_HOST: "localhost",
        KUBERNETES_SERVICE_PORT: `${listener.httpsPort}`
      }
    },
    assignManagedIdentity: (inTenant) => {
      const identity = ManagedIdentities.makeIdentity(tenant, https, inTenant)
      managedIdentities.add(identity)
      return identity
    },
    attachServiceAccount: () => {
      const { email, uniqueId } = MetadataServer.makeServiceAccount(google.project, now)
      attached.add(email)
      return { email, uniqueId }
    },
    serviceAccountToken: (of, audience) => run(cluster.projectedToken(of, audience)),
    trust: () => {
      const before = getCACertificates("default")
      setDefaultCACertificates([...before, certificates.ca])
      return () => setDefaultCACertificates(before)
    }
  }
  return sandbox
})

/** The same for who writes no Effect: runs until it is disposed of. */
export const start = async (options: Options = {}): Promise<Sandbox & AsyncDisposable> => {
  const scope = Scope.makeUnsafe()
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void))
  const sandbox = await Effect.runPromise(
    make(options).pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
  )
  return { ...sandbox, [Symbol.asyncDispose]: close }
}

const wholeSeconds = (duration: Duration.Input): number => Math.floor(Duration.toSeconds(duration))

const toAwsKeys = ({ id, role, secret }: Account.AccessKey): AwsKeys => ({
  roleName: role.name,
  roleArn: role.arn,
  accessKeyId: id,
  secretAccessKey: Redacted.value(secret)
})

const writeCertificate = (directory: string, ca: string) =>
  Effect.tryPromise({
    try: async () => {
      const file = join(directory, "ca.pem")
      await mkdir(directory, { recursive: true })
      await writeFile(file, ca)
      return file
    },
    catch: () => new SandboxError({ message: `Cannot write ca.pem into ${directory}` })
  })
