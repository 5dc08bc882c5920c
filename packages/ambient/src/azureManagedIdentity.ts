/** Azure's managed identities as an assertion source: the identity's own token, for Entra to take in place of a secret. */
import {
  Assertion,
  AssertionSource,
  configured,
  Misconfigured,
  Rejected,
  Transient,
  Unavailable
} from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import { json, overloaded, platformEnvironment, publicText, send, unexpected } from "@federate/http"
import type { Environment, Fetch, HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { addressOf, metadataServer } from "./metadataServer.ts"

export interface AzureManagedIdentityOptions {
  /** Which identity, by its client id; at most one of the three. Default: the only one that the platform has. */
  readonly clientId?: string | undefined
  /** Which identity, by its object (principal) id. */
  readonly objectId?: string | undefined
  /** Which identity, by its resource id: `/subscriptions/…/userAssignedIdentities/NAME`. */
  readonly resourceId?: string | undefined
  /**
   * Whom the token is for where the relying party demands nobody: a resource of the tenant. Default: the Entra
   * cloud's exchange audience that the relying party prefers; `api://AzureADTokenExchange`.
   */
  readonly resource?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "azure-managed-identity"

/**
 * App Service, Functions and Container Apps by `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`; else virtual machines, AKS
 * nodes and the like by their metadata server (IMDS), which is looked for within a second
 * (https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity). Entra
 * takes a user-assigned identity of the app's own tenant, whose object id is the subject. The platform keeps a token
 * for up to a day. Where there is neither, it is `Unavailable`.
 */
export const azureManagedIdentity = Effect.fnUntraced(function* (
  options: AzureManagedIdentityOptions = {}
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const platform = yield* configured(name, platformOf(options))
  return AssertionSource.make({
    name,
    offers: { algorithms: ["RS256"] },
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      const resource = resourceFor(request, options.resource)
      const answer = yield* platform.ask(resource)
      const token = json(answer)?.["access_token"]
      if (answer.status !== 200 || typeof token !== "string")
        return yield* Effect.fail(refused(answer, platform, resource))
      // The platform keeps its tokens: one may have been signed a while ago, so only its clock now is a measure.
      const { sentAt: obtainedAt, serverTime: issuerTime } = answer
      const assertion = Assertion.fromJwt(Redacted.make(token), { obtainedAt, issuerTime })
      return yield* Effect.fromResult(
        Result.map(assertion, (decoded) => ({ ...decoded, audience: named(decoded, resource) }))
      )
    })
  })
})

/** What the tokens are for that are traded at Entra; other Entra clouds' begin with it. */
const exchange = "api://AzureADTokenExchange"

const resourceFor = (
  { audience, preferredAudience = exchange }: AssertionSource.AssertionRequest,
  own: string | undefined
): string =>
  audience ?? own ?? (preferredAudience.startsWith(exchange) ? preferredAudience : exchange)

/**
 * Tokens name the exchange by its id (`fb60f99c-7a34-4190-8149-302f77469936`), and federated credentials take it by the
 * URI alone (AADSTS700214): it is told as it was asked for.
 */
const named = ({ audience }: Assertion.Assertion, resource: string): ReadonlyArray<string> =>
  resource.startsWith(exchange) && audience.length === 1 && /^[0-9a-f-]{36}$/.test(audience[0]!)
    ? [resource]
    : audience

interface Platform {
  readonly ask: (resource: string) => Effect.Effect<HttpAnswer, Reason>
  /** Statuses that pass by themselves, besides the usual ones. */
  readonly passing: ReadonlyArray<number>
  /** What lists the identities that it has. */
  readonly listing: string
}

/** What can be told to be wrong before any call, and whom to ask. */
const platformOf = (
  options: AzureManagedIdentityOptions
): Result.Result<Platform, Misconfigured> => {
  const { clientId, environment = platformEnvironment, objectId, resourceId } = options
  if ([clientId, objectId, resourceId].filter((each) => each !== undefined).length > 1) {
    return Result.fail(
      new Misconfigured({
        setting: "clientId",
        problem: "the identity is named twice",
        hint: "Leave one of `clientId`, `objectId` and `resourceId`."
      })
    )
  }
  const endpoint = environment("IDENTITY_ENDPOINT")
  return endpoint === undefined || environment("IDENTITY_HEADER") === undefined
    ? virtualMachine(environment(authority), options)
    : appService(endpoint, environment, options)
}

/** https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
const appService = (
  endpoint: string,
  environment: Environment,
  { fetch, ...options }: AzureManagedIdentityOptions
) =>
  Result.map(addressOf("IDENTITY_ENDPOINT", endpoint), (address): Platform => ({
    passing: [],
    listing: "`az webapp identity show` or `az containerapp identity show`",
    ask: (resource) => {
      // Another protocol under the same variables. IMDS in its place would give the identity of the machine below.
      if (environment("IDENTITY_SERVER_THUMBPRINT") !== undefined) return Effect.fail(serviceFabric)
      const url = asking(address, "2019-08-01", resource, { ...options, by: "mi_res_id" })
      // Read each time: the platform changes it now and then.
      const headers = { "x-identity-header": environment("IDENTITY_HEADER") ?? "" }
      return send({ url, headers }, { fetch })
    }
  }))

/** https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token */
const virtualMachine = (
  given: string | undefined,
  { fetch, ...options }: AzureManagedIdentityOptions
) =>
  Result.map(addressOf(authority, given ?? "169.254.169.254"), (address): Platform => {
    const token = new URL("/metadata/identity/oauth2/token", address)
    const ask = metadataServer({
      known: given !== undefined,
      // Without the header that it wants, it refuses at once.
      probe: { url: token.href },
      recognise: ({ status }) => status === 400,
      absent,
      fetch
    })
    return {
      passing: [404, 410],
      listing: "`az vm identity show`",
      ask: (resource) =>
        ask({
          url: asking(token, "2018-02-01", resource, { ...options, by: "msi_res_id" }),
          headers: { metadata: "true" }
        })
    }
  })

const authority = "AZURE_POD_IDENTITY_AUTHORITY_HOST"

/** @param by what a resource id is called there */
const asking = (
  address: URL,
  version: string,
  resource: string,
  { by, clientId, objectId, resourceId }: AzureManagedIdentityOptions & { readonly by: string }
): string => {
  const url = new URL(address)
  const parameters = {
    "api-version": version,
    resource,
    client_id: clientId,
    object_id: objectId,
    [by]: resourceId
  }
  for (const [parameter, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.append(parameter, value)
  return url.href
}

const absent = new Unavailable({
  detail: "Azure's metadata server does not answer here, and no IDENTITY_ENDPOINT is set",
  hint: "Run on Azure, on what a managed identity is assigned to."
})

const serviceFabric = new Unavailable({
  detail: "This is Service Fabric, whose managed identities have a protocol of their own",
  hint: "Take another source: none of this package's speaks it."
})

/** Both name the error in a text; App Service also in an object, or not at all. */
const refused = (answer: HttpAnswer, { listing, passing }: Platform, resource: string): Reason => {
  const { retryAt, status } = answer
  if (passing.includes(status)) {
    return new Transient({
      detail: `Azure's metadata server answered ${status}: it is being updated`,
      status,
      ...(retryAt !== undefined && { retryAt })
    })
  }
  const { correlationId, error, error_description, message } = json(answer) ?? {}
  const nested =
    typeof error === "object" && error !== null ? new Map(Object.entries(error)) : undefined
  const code = textOf(error) ?? textOf(nested?.get("code"))
  const description = textOf(error_description) ?? textOf(message) ?? textOf(nested?.get("message"))
  const busy = overloaded(answer)
  if (busy !== undefined || status < 400 || (code ?? description) === undefined)
    return busy ?? unexpected(answer)
  return new Rejected({
    code: code ?? `HTTP ${status}`,
    status,
    description: description ?? "Azure gave no reason",
    hint:
      code === "invalid_resource"
        ? `The tenant has no resource ${resource}: compare \`resource\` letter by letter.`
        : status === 401 || status === 403
          ? "IDENTITY_HEADER is not this process's: start it where the platform sets both variables."
          : `Either no such identity is assigned here, or several are and none is named: compare \`clientId\` with what ${listing} lists.`,
    remedy: "none",
    ...(typeof correlationId === "string" && {
      reference: { correlationId: publicText(correlationId) }
    })
  })
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? publicText(value) : undefined
