/** The names by which faults and counters know what is served. */
import * as Result from "effect/Result"
import { SandboxError } from "../SandboxError.ts"

/** Every endpoint, by service. */
const names = {
  cognito: [
    "CreateIdentityPool",
    "DeleteIdentityPool",
    "DescribeIdentityPool",
    "GetCredentialsForIdentity",
    "GetId",
    "GetIdentityPoolRoles",
    "GetOpenIdToken",
    "GetOpenIdTokenForDeveloperIdentity",
    "ListIdentityPools",
    "LookupDeveloperIdentity",
    "SetIdentityPoolRoles",
    "UpdateIdentityPool",
    "discovery",
    "keys"
  ],
  iam: [
    "AddClientIDToOpenIDConnectProvider",
    "AttachRolePolicy",
    "CreateOpenIDConnectProvider",
    "CreatePolicy",
    "CreateRole",
    "DeleteOpenIDConnectProvider",
    "DeletePolicy",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "DisableOutboundWebIdentityFederation",
    "EnableOutboundWebIdentityFederation",
    "GetOpenIDConnectProvider",
    "GetOutboundWebIdentityFederationInfo",
    "GetPolicy",
    "GetPolicyVersion",
    "GetRole",
    "GetRolePolicy",
    "ListAttachedRolePolicies",
    "ListOpenIDConnectProviders",
    "ListOpenIDConnectProviderTags",
    "ListRolePolicies",
    "ListRoles",
    "ListRoleTags",
    "PutRolePolicy",
    "RemoveClientIDFromOpenIDConnectProvider",
    "TagOpenIDConnectProvider",
    "TagRole",
    "UntagOpenIDConnectProvider",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole"
  ],
  sts: [
    "AssumeRoleWithWebIdentity",
    "GetCallerIdentity",
    "GetWebIdentityToken",
    "discovery",
    "keys"
  ],
  entra: ["discovery", "instance", "keys", "token"],
  imds: ["token"],
  appservice: ["token"],
  graph: [
    "appRoleAssignedTo",
    "appRoleAssignments",
    "applications",
    "federatedIdentityCredentials",
    "me",
    "servicePrincipals"
  ],
  github: ["customization", "idToken"],
  google: [
    "discovery",
    "generateAccessToken",
    "generateIdToken",
    "keys",
    "projects",
    "providers",
    "serviceAccounts",
    "token",
    "workloadIdentityPools"
  ],
  gce: ["identity", "metadata", "token"],
  kubernetes: ["token"],
  issuer: ["discovery", "keys"],
  oauth: ["discovery", "keys", "token"],
  services: ["anthropic", "models", "openai", "openrouter"]
} as const

/** A service: the part of an endpoint's name before the dot. */
export type Service = keyof typeof names

/** An endpoint's name, such as `cognito.GetId` or `entra.token`. */
export type Endpoint = {
  [S in Service]: `${S}.${(typeof names)[S][number]}`
}[Service]

/** One endpoint, or all of a service: `cognito.*`. */
export type Pattern = Endpoint | `${Service}.*`

/** The services' names. */
const services = Object.keys(names) as ReadonlyArray<Service> // keys of a literal object

/** Every endpoint's name. */
export const all: ReadonlyArray<Endpoint> = services.flatMap(
  (service) => names[service].map((name) => `${service}.${name}` as Endpoint) // the template type, lost by `map` over a union
)

/** A service's name, checked. */
export const checkService = (name: string): Result.Result<Service, SandboxError> => {
  const found = services.find((one) => one === name)
  return found === undefined
    ? Result.fail(
        new SandboxError({
          message: `There is no service "${name}". There are: ${services.join(", ")}`
        })
      )
    : Result.succeed(found)
}

/** The endpoints that a pattern names; the failure of an unknown one lists what there is. */
export const matching = (pattern: string): Result.Result<ReadonlyArray<Endpoint>, SandboxError> => {
  const found = pattern.endsWith(".*")
    ? all.filter((endpoint) => endpoint.startsWith(pattern.slice(0, -1)))
    : all.filter((endpoint) => endpoint === pattern)
  return found.length > 0
    ? Result.succeed(found)
    : Result.fail(
        new SandboxError({
          message: `There is no endpoint "${pattern}". There are: ${all.join(", ")}; and ${services
            .map((service) => `${service}.*`)
            .join(", ")}`
        })
      )
}
