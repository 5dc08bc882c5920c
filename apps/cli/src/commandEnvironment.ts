/** The environment in which a command's cloud SDKs find the broker, and nothing that goes before it. */
import { devNull } from "node:os"

type Variables = Readonly<Record<string, string | undefined>>

export interface Served {
  /** What the broker's clients need. */
  readonly variables: Readonly<Record<string, string>>
  /** Whether Google's SDKs get access tokens. */
  readonly google: boolean
  /** The identities that Azure's SDKs may name, in lower case. */
  readonly azureIdentities: ReadonlySet<string>
  /** The region that AWS's own files name, as they are out of the command's sight. */
  readonly awsRegion: string | undefined
}

/**
 * Keys, profiles and other providers, all of which AWS's SDKs ask before a container's credentials
 * (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
 */
const beforeAws = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
]

/** What `DefaultAzureCredential` asks before a managed identity or a token file, and what narrows it to others. */
const beforeAzure = [
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_USERNAME",
  "AZURE_PASSWORD",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_TOKEN_CREDENTIALS",
  // With it, the endpoint would be Service Fabric's.
  "IDENTITY_SERVER_THUMBPRINT"
]

/** What Google's application default credentials ask before the metadata server, and what says that there is none. */
const beforeGoogle = ["GOOGLE_APPLICATION_CREDENTIALS", "METADATA_SERVER_DETECTION", "NO_GCE_CHECK"]

/** The parent's environment, changed for the clouds that are served, and for those alone. */
export const commandEnvironment = (parent: Variables, served: Served): Variables => {
  const { google, variables } = served
  const has = (name: string): boolean => Object.hasOwn(variables, name)
  const removed = new Set<string>()
  const added: Record<string, string> = {}
  if (has("AWS_CONTAINER_CREDENTIALS_FULL_URI") || has("AWS_WEB_IDENTITY_TOKEN_FILE")) {
    for (const name of beforeAws) removed.add(name)
    Object.assign(added, withoutFiles(parent, served))
  }
  if (has("IDENTITY_ENDPOINT") || has("AZURE_FEDERATED_TOKEN_FILE")) {
    for (const name of beforeAzure) removed.add(name)
  }
  // A managed identity is asked for by it; a token file is presented as it.
  const client = parent["AZURE_CLIENT_ID"]?.toLowerCase() ?? ""
  if (has("IDENTITY_ENDPOINT") && !served.azureIdentities.has(client)) {
    removed.add("AZURE_CLIENT_ID")
  }
  if (google) for (const name of beforeGoogle) removed.add(name)
  const kept = Object.entries(parent).filter(([name]) => !removed.has(name))
  return { ...Object.fromEntries(kept), ...aroundProxies(parent), ...added, ...variables }
}

/**
 * `~/.aws/config` and `~/.aws/credentials` go before a container's credentials as well, and there is nothing that turns
 * off their keys alone: the files are out of sight, and the region that they name is carried over.
 */
const withoutFiles = (
  parent: Variables,
  { awsRegion, variables }: Served
): Record<string, string> => {
  const region =
    variables["AWS_REGION"] ||
    parent["AWS_REGION"] ||
    parent["AWS_DEFAULT_REGION"] ||
    awsRegion ||
    ""
  return {
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    // boto3 and the AWS CLI read the second one alone, other SDKs the first.
    ...(region !== "" && {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: parent["AWS_DEFAULT_REGION"] || region
    })
  }
}

const proxies = new Set(["http_proxy", "https_proxy", "all_proxy"])

/** Where a proxy is set, loopback goes around it: what is asked of the broker is no one else's. */
const aroundProxies = (parent: Variables): Variables => {
  const isProxied = Object.entries(parent).some(
    ([name, value]) => proxies.has(name.toLowerCase()) && value
  )
  if (!isProxied) return {}
  const names = ["no_proxy", "NO_PROXY"] as const
  const said = names.map((name) => parent[name]).find((value) => value)
  return Object.fromEntries(names.map((name) => [name, withLoopback(parent[name] || said || "")]))
}

const withLoopback = (list: string): string => {
  const entries = list.split(",").map((entry) => entry.trim())
  const missing = ["127.0.0.1", "localhost"].filter((host) => !entries.includes(host))
  return entries.includes("*")
    ? list
    : [...entries.filter((entry) => entry !== ""), ...missing].join(",")
}

/** The region that a profile of AWS's config file names (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html). */
export const regionOf = (configFile: string, profile: string): string | undefined => {
  let within = false
  for (const line of configFile.split(/\r?\n/)) {
    const [, section] = /^\[\s*(?:profile\s+)?(.*?)\s*\]/.exec(line) ?? []
    if (section !== undefined) within = section.replace(/^(["'])(.*)\1$/, "$2") === profile
    const [, region] = /^region\s*=\s*([\w-]+)\s*$/.exec(line) ?? []
    if (within && region !== undefined) return region
  }
  return undefined
}
