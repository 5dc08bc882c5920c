/** Microsoft's clouds: an authority and the audience that its federated credentials expect belong together. */

export interface Cloud {
  /** Where tokens are asked for. */
  readonly authorityHost: string
  /** Other names of the same host. */
  readonly aliases: ReadonlyArray<string>
  /** What a federated credential lists as its audience unless the issuer cannot choose; absent where it is not known. */
  readonly audience?: string
  /** Microsoft Graph. */
  readonly graph?: string
}

/**
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
 */
export const clouds = {
  public: {
    authorityHost: "https://login.microsoftonline.com",
    aliases: [
      "https://login.windows.net",
      "https://login.microsoft.com",
      "https://sts.windows.net"
    ],
    audience: "api://AzureADTokenExchange",
    graph: "https://graph.microsoft.com"
  },
  usGovernment: {
    authorityHost: "https://login.microsoftonline.us",
    aliases: ["https://login.usgovcloudapi.net"],
    audience: "api://AzureADTokenExchangeUSGov",
    graph: "https://graph.microsoft.us"
  },
  china: {
    authorityHost: "https://login.partner.microsoftonline.cn",
    aliases: ["https://login.chinacloudapi.cn"],
    audience: "api://AzureADTokenExchangeChina",
    graph: "https://microsoftgraph.chinacloudapi.cn"
  },
  france: {
    authorityHost: "https://login.sovcloud-identity.fr",
    aliases: [],
    audience: "api://AzureADTokenExchangeFrance"
  },
  germany: {
    authorityHost: "https://login.sovcloud-identity.de",
    aliases: [],
    audience: "api://AzureADTokenExchangeGermany"
  },
  singapore: {
    authorityHost: "https://login.sovcloud-identity.sg",
    aliases: []
  }
} as const satisfies Record<string, Cloud>

export type CloudName = keyof typeof clouds

/** The names, for schemas and messages. */
// The keys of a literal object are just its own.
export const cloudNames = Object.keys(clouds) as ReadonlyArray<CloudName>

/** The cloud that an authority belongs to, when it is a known one. */
export const cloudOf = (authorityHost: string): Cloud | undefined =>
  Object.values<Cloud>(clouds).find(
    (cloud) => cloud.authorityHost === authorityHost || cloud.aliases.includes(authorityHost)
  )
