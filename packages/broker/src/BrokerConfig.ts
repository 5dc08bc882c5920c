/** What a broker is told besides its flows: the `broker:` section of a config file, decoded. Everything may be left out. */
export interface BrokerConfig {
  /** The flows that are served on loopback. Default: those that no socket serves. */
  readonly flows?: ReadonlyArray<string>
  /** Names and ports that callers may put into `Host`, besides loopback's own: `broker.internal:8080`. */
  readonly hosts?: ReadonlyArray<string>
  /** The protocols without a secret that are spoken: any process on this machine gets their tokens. Default: all. */
  readonly withoutSecret?: ReadonlyArray<SecretlessProtocol>
  readonly azure?: AzureConfig | undefined
  readonly gce?: GceConfig | undefined
  readonly aws?: AwsConfig | undefined
  readonly tokenExchange?: TokenExchangeConfig | undefined
  readonly tokenFiles?: ReadonlyArray<TokenFileConfig>
  /** Ways in of their own, by name. */
  readonly sockets?: Readonly<Record<string, SocketConfig>>
}

/**
 * A unix socket: whoever the file system lets connect gets its flows, without a secret. (Node cannot tell who is on the
 * other side, so each group of callers has a socket of its own.)
 */
export interface SocketConfig {
  /** Its folder must exist. */
  readonly path: string
  readonly flows: ReadonlyArray<string>
  /** Its permissions, in octal digits. Default: 600. */
  readonly mode?: string
  /** A user and a group id; only root may give a file away. Default: the broker's own. */
  readonly owner?: number
  readonly group?: number
}

/** Protocols whose requests carry no secret: a header alone keeps web pages out. */
export const secretlessProtocols = ["azure-imds", "azure-cloud-shell", "gce", "aws-imds"] as const
export type SecretlessProtocol = (typeof secretlessProtocols)[number]

/** What Azure's SDKs get, by App Service, IMDS or Cloud Shell. */
export interface AzureConfig {
  /** The flow for whatever is not mapped below. Default: the only flow whose exchanger is Azure's. */
  readonly flow?: string | undefined
  /** Flows by the resource that is asked for (`https://graph.microsoft.com`); with these, no other is served. */
  readonly resources?: Readonly<Record<string, string>> | undefined
  /** Flows by the identity that is asked for: a client, object or resource id. */
  readonly identities?: Readonly<Record<string, string>> | undefined
}

/** What Google's SDKs get from the metadata server. */
export interface GceConfig {
  /** The flow of access tokens. Default: the only flow whose exchanger is Google's. */
  readonly flow?: string | undefined
  /** The flow of identity tokens. Default: the only flow that issues assertions. */
  readonly identityFlow?: string | undefined
  /** Default: the flow's own client, else `default`. */
  readonly email?: string
  readonly projectId?: string
  readonly numericProjectId?: string
  /** Default: `googleapis.com`. */
  readonly universeDomain?: string
  /** Such as `europe-west3-a`. */
  readonly zone?: string
  /** The scopes that are told, and the only ones that may be asked for. Default: any. */
  readonly scopes?: ReadonlyArray<string>
  /** The only audiences that identity tokens may be asked for. Default: any. */
  readonly audiences?: ReadonlyArray<string>
}

/** What AWS's SDKs get, as a container's credentials or from IMDSv2. */
export interface AwsConfig {
  /** Default: the only flow that issues AWS credentials. */
  readonly flow?: string | undefined
  /** The role's name as IMDSv2 tells it. Default: the flow's name. */
  readonly role?: string
  /** Told by IMDSv2, for SDKs that ask for it. */
  readonly region?: string
}

/** Whose assertions are traded for which flows' access tokens (RFC 8693). */
interface TokenExchangeConfig {
  /** The broker as its metadata names it (RFC 8414): an origin, https or on loopback. Default: the one that is asked. */
  readonly issuer?: string
  /** By name, in the order in which they are looked at. Without any there is no token endpoint. */
  readonly policies: Readonly<Record<string, TrustPolicyConfig>>
}

/**
 * What an assertion must be. A pattern is held against the whole of a value: `*` is any run of characters within one
 * segment (segments end at `:` and `/`), `**` any run at all; everything else is itself.
 */
export interface TrustPolicyConfig {
  /** `iss`, to the letter: https, or http on loopback. */
  readonly issuer: string
  /** Where its keys are. Default: where its OpenID discovery document says. */
  readonly jwksUri?: string
  /** `aud` must hold one of them, to the letter. */
  readonly audience: string | ReadonlyArray<string>
  /** A pattern for `sub`: not of wildcards alone. */
  readonly subject: string
  /** Patterns by claim: one of them must match its value, or one value of a list. */
  readonly claims?: Readonly<Record<string, string | ReadonlyArray<string>>>
  /** The JWS algorithms that are taken. Default: the asymmetric ones. */
  readonly algorithms?: ReadonlyArray<string>
  /** The flows whose tokens it gives, wherever else they are served; at least one. */
  readonly flows: ReadonlyArray<string>
  /** The only scopes that may be asked for. Default: none may, and the flow's own serve. */
  readonly scopes?: ReadonlyArray<string>
  /**
   * `forward`: the assertion itself is what the flow's exchanger trades, in the place of the flow's own. `flow`: the
   * flow's own credential is handed out. Default: `forward`.
   */
  readonly mode?: "forward" | "flow"
  /** The socket that it is served on. Default: on loopback alone. */
  readonly socket?: string
}

/** A file that always holds a fresh assertion, for SDKs that go to their cloud by themselves. */
export interface TokenFileConfig {
  /** Written whole, by a rename, mode 0600. Its folder must exist. */
  readonly path: string
  /** Default: the only flow that issues assertions: that has no exchanger, or one that issues ID tokens. */
  readonly flow?: string | undefined
  readonly audience?: string
  /** Whom Azure's SDKs present it as: AZURE_TENANT_ID and its companions. */
  readonly azure?: {
    readonly tenantId: string
    readonly clientId: string
    readonly authorityHost?: string
  }
  /** Whom AWS's SDKs present it as: AWS_ROLE_ARN and its companion. */
  readonly aws?: { readonly roleArn: string; readonly roleSessionName?: string }
}

/**
 * As much of a config as is about some of the flows. What is an allow-list stays one, be it empty: nothing else is
 * served for that.
 */
export const restricted = (
  { aws, azure, gce, ...rest }: BrokerConfig,
  flows: ReadonlySet<string>
): BrokerConfig => {
  const one = (name: string | undefined) =>
    name !== undefined && flows.has(name) ? name : undefined
  const some = (by: Readonly<Record<string, string>> | undefined) =>
    by && Object.fromEntries(Object.entries(by).filter(([, name]) => flows.has(name)))
  return {
    ...rest,
    azure: azure && {
      flow: one(azure.flow),
      resources: some(azure.resources),
      identities: some(azure.identities)
    },
    gce: gce && { ...gce, flow: one(gce.flow), identityFlow: one(gce.identityFlow) },
    aws: aws && { ...aws, flow: one(aws.flow) }
  }
}
