/**
 * The refusals that no set-up of the sandbox causes, each with the reason, and the words by which `federate explain` knows
 * them: what is left of the fact sheets of Entra, AWS and Google beside the set-ups that are built.
 */

export interface Refusal {
  readonly code: string
  /** As people paste it. */
  readonly text: string
  /** Why it is not built. */
  readonly because: string
  /** What is told of it. */
  readonly told: RegExp
}

const refused =
  (because: string) =>
  (code: string, text: string, told: RegExp): Refusal => ({
    code,
    text: `${code}: ${text}`,
    because,
    told
  })

const finer = refused("Entra answers with a finer code today")
const unseen = refused("nobody has seen it in the wild")
const policy = refused("the sandbox's tenant has no policies")
const beforeAnyCall = refused("our settings are refused before any call")
const neverSent = refused("our requests are not so")
const forUsers = refused("it is about a user's token, and a flow of the config file has none")
const secret = refused("a flow sends no secret")
const elsewhere = refused("the sandbox is one cloud with one tenant")
const busy = refused("it is a fault of the service's own, and not of a set-up")
const agents = refused("flows have no agent identities")
const otherSwitch = refused("the sandbox has not that switch")

export const entra: ReadonlyArray<Refusal> = [
  finer(
    "AADSTS70021",
    "No matching federated identity record found for presented assertion. Assertion Issuer: 'https://i'. Assertion Subject: 's'. Assertion Audience: 'a'.",
    /one federated credential must have exactly the issuer/
  ),
  ...["2131", "2132", "2133", "2134", "2135", "2136"].map((number) =>
    unseen(
      `AADSTS700${number}`,
      "No matching federated identity record found.",
      /one federated credential must have exactly the issuer/
    )
  ),
  refused("the sandbox issues no first-party subjects")(
    "AADSTS7002137",
    "No matching federated identity record found for presented assertion subject '/eid1/c/pub/t/x'. Please make sure the federated identity credential Subject is '/eid1/c/pub/t/{tenantId}/a/x'.",
    /must have the form that the message names/
  ),
  agents("AADSTS7002142", "The requested agent identity is 'x'.", /another agent identity/),
  refused(
    "Graph lets no two credentials have one issuer and subject; it takes Entra's two issuers of one tenant"
  )("AADSTS700263", "More than one federated identity credential matches.", /remove all but one/),
  refused("the sandbox's apps are single-tenant")(
    "AADSTS70052",
    "Multi-tenant applications may not trust Entra issuers.",
    /make the app single-tenant/
  ),
  refused("the sandbox does not tell how a token was obtained")(
    "AADSTS700231",
    "Tokens that were obtained by federation may not be used again.",
    /cannot be an assertion again/
  ),
  ...["AADSTS700223", "AADSTS700238", "AADSTS7002371"].map((code) =>
    policy(
      code,
      "Tokens issued by issuer 'https://i' may not be used for federated identity credential flows for applications or managed identities registered in this tenant.",
      /its administrator must allow it/
    )
  ),
  policy(
    "AADSTS7002381",
    "Federated identity credentials issued by 'https://token.actions.githubusercontent.com/' must contain the enterprise claim with value 'x'.",
    /run the workflow in that enterprise/
  ),
  ...["AADSTS501661", "AADSTS90061"].map((code) =>
    refused("the sandbox says it as AADSTS50166")(
      code,
      "Request to External OIDC endpoint failed.",
      /must be public, on https/
    )
  ),
  forUsers("AADSTS50013", "Assertion failed signature validation.", /the user's client sent/),
  forUsers(
    "AADSTS500131",
    "Assertion audience does not match the Client app.",
    /must ask for one of the app/
  ),
  forUsers("AADSTS500133", "Assertion is not within its valid time range.", /must fetch a new one/),
  forUsers("AADSTS240002", "Input id_token cannot be used.", /send the access token/),
  forUsers(
    "AADSTS7000114",
    "Application 'x' is not allowed to make application on-behalf-of calls.",
    /client credentials/
  ),
  forUsers(
    "AADSTS65001",
    "The user or administrator has not consented to use the application.",
    /must consent/
  ),
  forUsers(
    "AADSTS65005",
    "The application asked for scope 'x' that doesn't exist on the resource.",
    /has no permission/
  ),
  forUsers("AADSTS650057", "Invalid resource.", /add it, with consent/),
  ...["AADSTS50076", "AADSTS50079", "AADSTS50158", "AADSTS50131", "AADSTS530032"].map((code) =>
    forUsers(code, "Interaction is required.", /Conditional Access/)
  ),
  policy(
    "AADSTS53003",
    "Access has been blocked by Conditional Access policies.",
    /Conditional Access for workload identities/
  ),
  otherSwitch(
    "AADSTS700011",
    "Application with identifier 'x' was not found in the directory 'y'.",
    /There is no app/
  ),
  otherSwitch("AADSTS70001", "Application is disabled.", /administrator of the tenant/),
  otherSwitch(
    "AADSTS50001",
    "The resource is disabled or unknown.",
    /has no service principal in the tenant/
  ),
  otherSwitch(
    "AADSTS5000224",
    "We are sorry, this resource is not available.",
    /blocked or closed/
  ),
  otherSwitch(
    "AADSTS50194",
    "Application 'x' is not configured as a multi-tenant application.",
    /name its tenant by its id/
  ),
  secret("AADSTS7000215", "Invalid client secret provided.", /federation needs none/),
  secret(
    "AADSTS7000222",
    "The provided client secret keys for app 'x' are expired.",
    /federation needs none/
  ),
  secret(
    "AADSTS7000218",
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    /no client assertion/
  ),
  beforeAnyCall(
    "AADSTS900023",
    "Specified tenant identifier 'x' is neither a valid DNS name, nor a valid external domain.",
    /neither a tenant's id nor a verified domain/
  ),
  beforeAnyCall(
    "AADSTS9001023",
    "The grant type isn't supported over the /common or /consumers endpoints.",
    /Name the tenant by its id/
  ),
  beforeAnyCall(
    "AADSTS70011",
    "The provided value for the input parameter 'scope' is not valid.",
    /write <resource>\/\.default/
  ),
  beforeAnyCall(
    "AADSTS1002012",
    "The provided value for scope x is not valid.",
    /asks for <resource>\/\.default/
  ),
  ...["AADSTS28000", "AADSTS28002", "AADSTS700022"].map((code) =>
    beforeAnyCall(code, "The scope contains more than one resource.", /one scope at a time/)
  ),
  elsewhere("AADSTS50049", "Unknown or invalid instance.", /check `authorityHost`/),
  ...["AADSTS900382", "AADSTS900432", "AADSTS900439", "AADSTS90038"].map((code) =>
    elsewhere(code, "Confidential Client is not supported in Cross Cloud request.", /set `cloud`/)
  ),
  neverSent(
    "AADSTS900144",
    "The request body must contain the following parameter: 'x'.",
    /parameter is missing/
  ),
  neverSent("AADSTS90014", "The required field 'x' is missing.", /field is missing/),
  neverSent(
    "AADSTS70003",
    "The app requested an unsupported grant type 'x'.",
    /may not use this grant/
  ),
  neverSent("AADSTS900561", "The endpoint only accepts POST requests.", /POST alone/),
  neverSent("AADSTS9002313", "Invalid request. Request is malformed or invalid.", /malformed/),
  neverSent("AADSTS9000411", "The parameter 'x' is duplicated.", /twice/),
  neverSent("AADSTS90011", "Unexpected client assertion type.", /client_assertion_type/),
  neverSent("AADSTS901002", "The 'resource' request parameter is not supported.", /takes `scope`/),
  neverSent(
    "AADSTS50196",
    "The server terminated an operation because it encountered a client request loop.",
    /keep tokens until they end/
  ),
  ...["90033", "90006", "50033", "90024", "90012", "50000", "40010"].map((number) =>
    busy(
      `AADSTS${number}`,
      "A transient error has occurred. Please try again.",
      /tried again by itself/
    )
  ),
  busy("AADSTS90055", "Too many requests from this tenant.", /asks too much at once/)
]

const sts = "An error occurred when calling the AssumeRoleWithWebIdentity operation"
const pools = "from Amazon Cognito"

export const aws: ReadonlyArray<Refusal> = [
  refused("no issuer of the sandbox takes tokens back")(
    "IDPRejectedClaim",
    `${sts}: the claim was rejected`,
    /says that the assertion is not valid, or was revoked/
  ),
  refused("every region of the sandbox is active")(
    "RegionDisabledException",
    sts,
    /`aws account enable-region` switches it on/
  ),
  refused("the checkup finds it before the token is asked for")(
    "OutboundWebIdentityFederationDisabledException",
    "calling the GetWebIdentityToken operation",
    /`aws iam enable-outbound-web-identity-federation`/
  ),
  refused("GetCallerIdentity says it first, as InvalidClientTokenId")(
    "UnrecognizedClientException",
    pools,
    /does not know the access key/
  ),
  refused("GetCallerIdentity says it first, as SignatureDoesNotMatch")(
    "InvalidSignatureException",
    pools,
    /The secret key does not belong to the access key/
  ),
  refused("the SDK signs each request that must be")(
    "MissingAuthenticationTokenException",
    pools,
    /was not signed/
  ),
  refused("our settings are refused before any call")(
    "ValidationException",
    pools,
    /out of its bounds/
  ),
  refused("the endpoint that is not Cognito's answers in its own form")(
    "UnknownOperationException",
    pools,
    /not Amazon Cognito's identity pools/
  ),
  ...["TooManyRequestsException", "InternalErrorException", "ExternalServiceException"].map(
    (code) => busy(code, pools, /by itself/)
  )
]

const google_ = "from sts.googleapis.com"

export const google: ReadonlyArray<Refusal> = [
  refused("it is for workforce pools")(
    "invalid_client",
    google_,
    /federation of workloads has none/
  ),
  refused("the sandbox takes any scope")(
    "invalid_scope",
    google_,
    /does not know one of the scopes/
  ),
  neverSent("unsupported_grant_type", google_, /not Google's STS/),
  neverSent("unsupported_token_type", google_, /takes JWTs/),
  refused("the sandbox's organization has no policies")(
    "access_denied",
    google_,
    /organization's policy/
  ),
  refused("every API of the sandbox is on")(
    "SERVICE_DISABLED",
    google_,
    /gcloud services enable sts.googleapis.com/
  ),
  refused("the sandbox has no API that takes no federated tokens")(
    "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    google_,
    /name a `serviceAccount` to act as/
  ),
  refused("the sandbox's service accounts cannot be disabled")(
    "FAILED_PRECONDITION",
    "iam.serviceAccounts",
    /is disabled: enable it/
  ),
  refused("the sandbox takes the token that it has just issued")(
    "UNAUTHENTICATED",
    "iam.serviceAccounts.getAccessToken",
    /too near its end/
  )
]
