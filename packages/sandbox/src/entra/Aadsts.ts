/**
 * Entra's errors: the catalogue, and how one is written to the wire.
 *
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import { json } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"

interface Entry {
  /** `AADSTS{code}` */
  readonly code: number
  /** RFC 6749 §5.2, and Entra's own besides. */
  readonly error: string
  /** HTTP status. */
  readonly status: number
  /** With `{name}` for what varies. */
  readonly text: string
}

const noMatch = "No matching federated identity record found for presented assertion"

const checkIt =
  "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."

const federation = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"

/** Everything that the token endpoint says no with. */
export const catalogue = {
  // The request's form
  onlyPost: {
    code: 900561,
    error: "invalid_request",
    status: 400,
    text: "The endpoint only accepts POST requests. Received a {method} request."
  },
  malformedRequest: {
    code: 9002313,
    error: "invalid_request",
    status: 400,
    text: "Invalid request. Request is malformed or invalid."
  },
  noSuchEndpoint: {
    code: 9002313,
    error: "invalid_request",
    status: 404,
    text: "Invalid request. Request is malformed or invalid."
  },
  missingParameter: {
    code: 900144,
    error: "invalid_request",
    status: 400,
    text: "The request body must contain the following parameter: '{name}'."
  },
  doubledParameter: {
    code: 9000411,
    error: "invalid_request",
    status: 400,
    text: "The request is not properly formatted. The parameter '{name}' is duplicated."
  },
  unsupportedGrant: {
    code: 70003,
    error: "unsupported_grant_type",
    status: 400,
    text: "The app requested an unsupported grant type '{grant}'."
  },
  resourceParameter: {
    code: 901002,
    error: "invalid_request",
    status: 400,
    text: "The 'resource' request parameter is not supported."
  },
  // The tenant
  notATenant: {
    code: 900023,
    error: "invalid_request",
    status: 400,
    text: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
  },
  unknownTenant: {
    code: 90002,
    error: "invalid_request",
    status: 400,
    text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
  },
  grantNeedsTenant: {
    code: 9001023,
    error: "invalid_request",
    status: 400,
    text: "The grant type isn't supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint."
  },
  unknownInstance: {
    code: 50049,
    error: "invalid_instance",
    status: 400,
    text: "Unknown or invalid instance."
  },
  // The client
  unknownApplication: {
    code: 700016,
    error: "unauthorized_client",
    status: 400,
    text: "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
  },
  noServicePrincipal: {
    code: 7000229,
    error: "invalid_client",
    status: 401,
    text: "The client application {client} is missing service principal in the tenant {tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
  },
  disabledApplication: {
    code: 7000112,
    error: "unauthorized_client",
    status: 400,
    text: "Application '{client}'({name}) is disabled."
  },
  publicClient: {
    code: 700025,
    error: "invalid_client",
    status: 401,
    text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
  },
  noClientCredential: {
    code: 7000218,
    error: "invalid_client",
    status: 401,
    text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
  },
  wrongSecret: {
    code: 7000215,
    error: "invalid_client",
    status: 401,
    text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
  },
  // The scope
  badScope: {
    code: 70011,
    error: "invalid_scope",
    status: 400,
    text: "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
  },
  noDefaultScope: {
    code: 1002012,
    error: "invalid_scope",
    status: 400,
    text: "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
  },
  twoResources: {
    code: 28000,
    error: "invalid_scope",
    status: 400,
    text: "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid."
  },
  unknownResource: {
    code: 500011,
    error: "invalid_resource",
    status: 400,
    text: "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
  },
  disabledResource: {
    code: 500014,
    error: "invalid_resource",
    status: 400,
    text: "The service principal for resource '{resource}' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it."
  },
  notAssigned: {
    code: 501051,
    error: "invalid_grant",
    status: 400,
    text: "Application '{client}'({name}) is not assigned to a role for the application '{resource}'({resourceName})."
  },
  // The assertion
  wrongAssertionType: {
    code: 90011,
    error: "invalid_request",
    status: 400,
    text: "Unexpected client assertion type."
  },
  malformedAssertion: {
    code: 50027,
    error: "invalid_request",
    status: 400,
    text: "JWT token is invalid or malformed."
  },
  unsupportedAlgorithm: {
    code: 5002738,
    error: "invalid_client",
    status: 401,
    text: "Invalid JWT token. '{algorithm}' is not a supported signature algorithm."
  },
  ownToken: {
    code: 700222,
    error: "invalid_client",
    status: 401,
    text: "AAD-issued tokens may not be used for federated identity flows."
  },
  noRegisteredCertificate: {
    code: 700027,
    error: "invalid_client",
    status: 401,
    text: "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]"
  },
  noFederatedCredentials: {
    code: 70025,
    error: "invalid_client",
    status: 401,
    text: "The client '{client}'({name}) has no configured federated identity credentials."
  },
  noMatchingIssuer: {
    code: 700211,
    error: "invalid_client",
    status: 401,
    text: `${noMatch} issuer '{issuer}'. ${checkIt} ${federation}`
  },
  noMatchingAudience: {
    code: 700212,
    error: "invalid_client",
    status: 401,
    text: `${noMatch} audience '{audience}'. ${checkIt} ${federation}`
  },
  noMatchingSubject: {
    code: 700213,
    error: "invalid_client",
    status: 401,
    text: `${noMatch} subject '{subject}'. ${checkIt} ${federation}`
  },
  subjectInOtherCase: {
    code: 7002138,
    error: "invalid_client",
    status: 401,
    text: `${noMatch} subject '{subject}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${checkIt} See documentation at: ${federation} See breaking change notification and remediation at: https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes#august-2024`
  },
  // The assertion, where Entra itself issued it
  userAsAssertion: {
    code: 700229,
    error: "invalid_client",
    status: 401,
    text: "Forbidden token type. Only app-only tokens may be used as Federated Identity Credentials for AAD issuer."
  },
  appAsAssertion: {
    code: 700226,
    error: "invalid_client",
    status: 401,
    text: "Only MSI tokens may be used as Federated Identity Credentials for AAD issuer."
  },
  noExchangeAudience: {
    code: 700214,
    error: "invalid_client",
    status: 401,
    text: "The audience of a federated identity credential for an AAD issuer must be '{audience}'."
  },
  otherTenant: {
    code: 700236,
    error: "invalid_client",
    status: 401,
    text: "Entra ID tokens issued by issuer '{issuer}' may not be used for federated identity credential flows for applications or managed identities registered in this tenant."
  },
  // The user's token
  foreignUserToken: {
    code: 50013,
    error: "invalid_grant",
    status: 400,
    text: "Assertion failed signature validation. [Reason - The key was not found.]"
  },
  userTokenForAnother: {
    code: 500131,
    error: "invalid_grant",
    status: 400,
    text: "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{audience}' and the expected audience is '{client}' or one of the Application Uris of this application with App ID '{client}'({name}). The downstream client must request a token for the expected audience (the application that made the OBO request) and this application should use that token as the assertion."
  },
  userTokenEnded: {
    code: 500133,
    error: "invalid_grant",
    status: 400,
    text: "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token. Current time: {now}, expiry time of assertion {until}."
  },
  idToken: {
    code: 240002,
    error: "invalid_request",
    status: 400,
    text: "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant."
  },
  appForApp: {
    code: 7000114,
    error: "unauthorized_client",
    status: 400,
    text: "Application '{client}' is not allowed to make application on-behalf-of calls."
  },
  notConsented: {
    code: 65001,
    error: "invalid_grant",
    status: 400,
    text: "The user or administrator has not consented to use the application with ID '{client}' named '{name}'. Send an interactive authorization request for this user and resource."
  },
  unknownPermission: {
    code: 65005,
    error: "invalid_resource",
    status: 400,
    text: "The application '{name}' asked for scope '{permission}' that doesn't exist on the resource '{resource}'."
  },
  issuerUnreachable: {
    code: 50166,
    error: "invalid_request",
    status: 400,
    text: "Request to External OIDC endpoint failed."
  },
  unknownKey: {
    code: 7000272,
    error: "invalid_client",
    status: 401,
    text: "The certificate with identifier {kid} used to sign the federated credential could not be found in the metadata of identity provider {issuer}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token."
  },
  badSignature: {
    code: 700027,
    error: "invalid_client",
    status: 401,
    text: "Client assertion failed signature validation."
  },
  outsideItsTime: {
    code: 700024,
    error: "invalid_client",
    status: 401,
    text: "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, expiry time of assertion {until}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
  },
  // What a fault imposes
  tooManyRequests: {
    code: 90055,
    error: "temporarily_unavailable",
    status: 429,
    text: "The server has terminated the request because there are too many requests from this tenant."
  },
  transient: {
    code: 90033,
    error: "temporarily_unavailable",
    status: 503,
    text: "A transient error has occurred. Please try again."
  }
} as const satisfies Readonly<Record<string, Entry>>

type Catalogue = typeof catalogue

/** The names between braces. */
type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never

type Values<Name extends keyof Catalogue> = {
  readonly [P in Placeholders<Catalogue[Name]["text"]>]: string
}

/** Entra's no. */
export class EntraError extends Data.TaggedError("EntraError")<{
  readonly code: number
  readonly error: string
  readonly status: number
  readonly text: string
}> {}

/** An error out of the catalogue, with its blanks filled in. */
export const refuse = <Name extends keyof Catalogue>(
  name: Name,
  ...values: keyof Values<Name> extends never ? [] : [Values<Name>]
): EntraError => {
  const { code, error, status, text } = catalogue[name]
  const blanks: Readonly<Record<string, string>> = values[0] ?? {}
  return new EntraError({
    code,
    error,
    status,
    text: text.replace(/\{(\w+)\}/g, (_, blank: string) => blanks[blank] ?? "")
  })
}

/** The request's own id, where it has one, in the header, the query or the body. */
export const correlationId = (request: Request, parameters?: URLSearchParams): string => {
  const id =
    request.headers["client-request-id"] ??
    request.query.get("client-request-id") ??
    parameters?.get("client-request-id")
  return id !== null && id !== undefined && /^[0-9a-f-]{36}$/i.test(id) ? id : randomUUID()
}

/** The headers of every answer. */
export const headers = (correlation: string) => ({
  "cache-control": "no-store, no-cache",
  pragma: "no-cache",
  "x-ms-request-id": randomUUID(),
  "x-ms-ests-server": "2.1.0.0 - sandbox",
  "client-request-id": correlation
})

/**
 * @param now epoch milliseconds, on Entra's clock
 */
export const toResponse = (
  { code, error, status, text }: EntraError,
  correlation: string,
  now: number
): Response => {
  const all = headers(correlation)
  const timestamp = new Date(now).toISOString().replace(/T(.*)\.\d{3}Z/, " $1Z")
  const trace = all["x-ms-request-id"]
  return json(
    status,
    {
      error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`
    },
    all
  )
}
