/**
 * Entra's error codes, as data: what each means for a flow, and the one fix.
 *
 * Microsoft says that numbers and texts may change at any time
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes): flows branch on the reason alone, and a
 * code that is not here is still a refusal, with its own words.
 */
import type { Remedy } from "@federate/core"

/** What a hint may name, written `{name}`: the values that were really sent. */
export interface Facts {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly algorithm: string
  readonly kid: string
  readonly tenantId: string
  readonly clientId: string
  readonly scope: string
  readonly authority: string
}

export interface CatalogueEntry {
  /** `passing` may go by itself and is tried again; every other one is a refusal with its remedy. */
  readonly remedy: Remedy | "passing"
  readonly hint: string
  /** The fix where a token was asked for on a user's behalf, if it is another one. */
  readonly onBehalfOf?: string
  /** It is the user's token that was refused: the values are that one's. */
  readonly isOfUser?: true
}

const none = (hint: string): CatalogueEntry => ({ remedy: "none", hint })
const waitForTrust = (hint: string): CatalogueEntry => ({
  remedy: "waitForTrust",
  hint: `${hint} A trust that was just set up takes minutes to spread.`
})
const ofUser = (hint: string): CatalogueEntry => ({ remedy: "none", hint, isOfUser: true })
const passing = (hint: string): CatalogueEntry => ({ remedy: "passing", hint })

const noFederatedCredential =
  "On the app {clientId}, one federated credential must have exactly the issuer {issuer}, the subject {subject} and the audience {audience}, case and trailing slash included."
const tenantPolicy =
  "A policy of the tenant {tenantId} does not accept the issuer {issuer}: its administrator must allow it."
const unreachableIssuer =
  "Entra could not fetch {issuer}/.well-known/openid-configuration or the keys that it names: they must be public, on https, and answer quickly."
const asksForUser: CatalogueEntry = {
  ...none(
    "A policy asks for a user's interaction, and a workload has none: exempt the app {clientId} in the tenant's Conditional Access."
  ),
  onBehalfOf:
    "A policy asks the user for more: hand this refusal's `claims` to the user's client, which fetches another token for the app {clientId} with them."
}
const wrongCloud =
  "The tenant {tenantId} belongs to another cloud than {authority}: set `cloud` (or `authorityHost`) to the tenant's own."
const appSide = "An administrator of the tenant {tenantId} must put the app {clientId} right."
const resourceUnknown =
  "The resource of the scope {scope} has no service principal in the tenant {tenantId}: check its spelling, or have it installed there."
const internal = "This is for Microsoft's service to mend; it is tried again by itself."

export const catalogue: Readonly<Record<number, CatalogueEntry>> = {
  // Matching the federated credential: issuer, then audience, then subject.
  70021: waitForTrust(noFederatedCredential),
  700211: waitForTrust(
    "The token's issuer is {issuer}; no federated credential of the app {clientId} has exactly that issuer (a trailing slash counts; a managed identity's is its own tenant's, with /v2.0 at its end)."
  ),
  700212: waitForTrust(
    "The token's audience is {audience}; the federated credential must list exactly {audience}. (A managed identity's is asked for as api://AzureADTokenExchange, and listed so.)"
  ),
  700213: waitForTrust(
    "The token's subject is {subject}; the federated credential's subject must be exactly that. (A managed identity's is its object (principal) id, not its client id.)"
  ),
  7002131: none(noFederatedCredential),
  7002132: none(noFederatedCredential),
  7002133: none(noFederatedCredential),
  7002134: none(noFederatedCredential),
  7002135: none(noFederatedCredential),
  7002136: none(noFederatedCredential),
  7002137: none(
    "The federated credential's subject must have the form that the message names; the token's is {subject}."
  ),
  7002138: none(
    "The federated credential differs from the token in upper and lower case only. The token says {subject}; write exactly that."
  ),
  700214: none(
    "For a token that Entra issued, the federated credential must list the cloud's exchange by its URI, which is api://AzureADTokenExchange in the public cloud, and not by its id; and the token must be asked for with that as its resource."
  ),
  7002142: none(
    "The federated credential is for another agent identity than the one that was asked for."
  ),
  700263: none(
    "More than one federated credential of the app {clientId} matches the subject {subject}: remove all but one."
  ),
  70025: waitForTrust(
    "The app {clientId} has no federated credential at all: add one with the issuer {issuer}, the subject {subject} and the audience {audience}."
  ),
  70052: none(
    "A multi-tenant app cannot trust an issuer of Entra's own: make the app single-tenant, or take another issuer."
  ),
  // What may be an assertion.
  700222: none(
    "A token that Entra issued to an app cannot be an assertion here: use a managed identity's, or the platform's own."
  ),
  700226: none(
    "Of Entra's own tokens only a managed identity's can be an assertion; {subject} is another app."
  ),
  700229: none("A user's token cannot be an assertion: use the workload's own."),
  700231: none(
    "A token that was itself obtained by federation cannot be an assertion again: use the first one."
  ),
  700236: none(
    "The managed identity must live in the same tenant as the app {clientId}; its issuer is {issuer}, the app's tenant is {tenantId}. To reach another tenant, have a multi-tenant app of the identity's own tenant let in there, and name that tenant here."
  ),
  700223: none(tenantPolicy),
  700238: none(tenantPolicy),
  7002371: none(tenantPolicy),
  7002381: none(
    "A policy of the tenant {tenantId} demands GitHub's `enterprise` claim: run the workflow in that enterprise, or have the policy changed."
  ),
  5002738: none(
    "Entra takes RS256 (and other RSA algorithms, untested); the token is signed with {algorithm}: have the issuer sign with RS256."
  ),
  // Keys and times.
  7000272: waitForTrust(
    "The issuer {issuer} does not publish the key {kid}, or Entra has not fetched it yet: publish it in the issuer's key set, among the first 100."
  ),
  700024: {
    remedy: "freshAssertion",
    hint: "The assertion is expired or not valid yet: take a new one, and check the clocks."
  },
  700027: none(
    "The signature is not by the key {kid} of {issuer}, or the token is the app's own and its certificate is not registered: send the platform's token unmodified."
  ),
  50027: none("The assertion is no complete JWT: send the platform's token unmodified."),
  50166: passing(unreachableIssuer),
  501661: passing(unreachableIssuer),
  90061: passing(unreachableIssuer),
  // On behalf of a user.
  50013: ofUser(
    "The user's token, by {issuer}, was not signed by a key of Entra's: send the access token that the user's client sent, unmodified."
  ),
  500131: ofUser(
    "The user's token is for {audience}: the user's client must ask for one of the app {clientId}, by that id or one of its URIs."
  ),
  500133: ofUser("The user's token has ended: the user's client must fetch a new one."),
  240002: ofUser(
    "That is an ID token: send the access token that the user's client has for the app."
  ),
  7000114: ofUser(
    "That token is an app's own, and an app has nobody to act for: take client credentials for it, the exchanger without a user."
  ),
  // The app and the tenant.
  700016: waitForTrust(
    "There is no app {clientId} in the tenant {tenantId}: compare both ids with the app registration (the application id, not the object id)."
  ),
  700011: waitForTrust(
    "There is no app {clientId} in the tenant {tenantId}: compare both ids with the app registration."
  ),
  7000229: waitForTrust(
    "The app {clientId} has no service principal in the tenant {tenantId}: create it (`az ad sp create --id {clientId}`)."
  ),
  7000112: none(
    "The app {clientId} is disabled: enable its service principal (`az ad sp update --id {clientId} --set accountEnabled=true`)."
  ),
  70001: none(appSide),
  700025: none(
    'The app {clientId} is set up as a public client: switch "Allow public client flows" off (`az ad app update --id {clientId} --set isFallbackPublicClient=false`).'
  ),
  7000215: none("A client secret was sent: federation needs none; remove it."),
  7000222: none("The app's client secret has expired: federation needs none; remove it."),
  7000218: none("The request had no client assertion."),
  90002: none(
    "There is no tenant {tenantId} at {authority}: check the id, and that `cloud` is the tenant's."
  ),
  900023: none("{tenantId} is neither a tenant's id nor a verified domain."),
  9001023: none(
    "Name the tenant by its id: common, organizations and consumers have no apps of their own."
  ),
  50194: none("The app {clientId} is single-tenant: name its tenant by its id."),
  5000224: none(
    "The tenant {tenantId} is blocked or closed: its administrator must ask Microsoft."
  ),
  50049: none("{authority} is no authority that Microsoft knows: check `authorityHost`."),
  900382: none(wrongCloud),
  900432: none(wrongCloud),
  900439: none(wrongCloud),
  90038: none(wrongCloud),
  // The request.
  900144: none("A parameter is missing from the request."),
  90014: none("A field is missing from the request."),
  70003: none("The app may not use this grant."),
  9000411: none("A parameter is in the request twice."),
  90011: none("The assertion must be sent as a JWT bearer (`client_assertion_type`)."),
  900561: none("The token endpoint takes POST alone."),
  9002313: none("The request is malformed."),
  901002: none("The v2.0 endpoint takes `scope`, not `resource`."),
  70011: none("The scope {scope} is malformed: write <resource>/.default."),
  1002012: none("A workload asks for <resource>/.default; the scope was {scope}."),
  28000: none("One token is for one resource: ask for one scope at a time; it was {scope}."),
  28002: none("One token is for one resource: ask for one scope at a time; it was {scope}."),
  700022: none("One token is for one resource: ask for one scope at a time; it was {scope}."),
  // The resource and its permissions.
  500011: waitForTrust(resourceUnknown),
  50001: none(resourceUnknown),
  500014: none(
    "The resource of the scope {scope} is disabled in the tenant {tenantId}: its administrator must enable its service principal, or renew the subscription that it belongs to."
  ),
  501051: waitForTrust(
    "The resource of {scope} demands an app role: assign one to the app {clientId}, with an administrator's consent."
  ),
  65001: {
    ...none("An administrator must consent to the app {clientId}'s permissions."),
    onBehalfOf:
      "Neither the user nor an administrator has consented to {scope} for the app {clientId}: grant it the delegated permission, with an administrator's consent."
  },
  65005: none("The resource has no permission {scope}: compare its spelling."),
  650057: none(
    "The resource of {scope} is not among the app {clientId}'s permissions: add it, with consent."
  ),
  53003: none(
    "Conditional Access for workload identities blocked the app {clientId}: from this place, or for its risk. The tenant's administrator must allow it."
  ),
  530032: asksForUser,
  50131: asksForUser,
  50076: asksForUser,
  50079: asksForUser,
  50158: asksForUser,
  50196: none("The same request was made too often in a loop: keep tokens until they end."),
  // The service itself.
  90033: passing(internal),
  90006: passing(internal),
  50033: passing(internal),
  90024: passing(internal),
  90012: passing(internal),
  50000: passing(internal),
  90055: passing("The tenant {tenantId} asks too much at once; it is tried again by itself."),
  40010: passing(internal)
}

/** A hint with its facts put in. */
export const tell = (hint: string, facts: Facts): string =>
  // Only the names of facts stand between braces.
  hint.replace(/\{(\w+)\}/g, (_, name: string) => `"${facts[name as keyof Facts]}"`)
