/** Microsoft Entra ID as a token exchanger. */
import { FederationError, Misconfigured } from "@federate/core"
import type { TokenExchanger } from "@federate/core"
import { endpoint } from "@federate/http"
import type { Fetch } from "@federate/http"
import { clientCredentials } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { claimsParameter } from "./claims.ts"
import { classify } from "./classify.ts"
import { cloudOf, clouds } from "./clouds.ts"
import type { Cloud, CloudName } from "./clouds.ts"

export interface Options {
  /** The tenant's id (a GUID), or one of its verified domains. */
  readonly tenantId: string
  /** The *application (client) id* of the app registration, or a user-assigned managed identity's client id: a GUID. */
  readonly clientId: string
  /** What a request without scopes of its own asks for: one `<resource>/.default`. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** Moves authority and audience together. Default: `public`. */
  readonly cloud?: CloudName | undefined
  /** An authority of its own: https, or http on loopback. A known one brings its cloud's audience along. */
  readonly authorityHost?: string | undefined
  /**
   * The audience that the federated credential lists, where it must be that one. Without it a source that can choose
   * takes the cloud's own (`api://AzureADTokenExchange`), and a source that cannot gives what it has.
   */
  readonly audience?: string | undefined
  /**
   * What whoever uses the tokens can do; `cp1`: answer a claims challenge with a request for another token. Resources
   * with continuous access evaluation then take tokens that live for a day, and revoke them at once. Default: nothing.
   */
  readonly clientCapabilities?: ReadonlyArray<string> | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

/**
 * Entra documents RS256 and calls the other RSA algorithms untested (Cognito's RS512 works); it refuses the elliptic
 * ones (AADSTS5002738).
 */
const algorithms = ["RS256", "RS512", "RS384", "PS256", "PS384", "PS512"]

/**
 * Client credentials with a federated assertion
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow): the platform's JWT takes the
 * place of a secret. No discovery round trip; the token is opaque to us and never decoded. Every AADSTS code becomes a
 * reason with the one fix. Settings that cannot work are `Misconfigured`, before any call.
 */
export const exchanger = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const { clientId, fetch, tenantId } = options
  const { audience, host } = yield* Effect.mapError(
    Effect.fromResult(settings(options)),
    (reason) => new FederationError({ adapter: name, stage: "configuration", reason })
  )
  return yield* clientCredentials({
    name,
    issuer: `${host}/${tenantId}/v2.0`,
    tokenEndpoint: `${host}/${tenantId}/oauth2/v2.0/token`,
    clientId,
    asks: { ...audience, algorithms },
    parameters: ({ claims, scopes = options.scopes ?? [] }) =>
      Result.gen(function* () {
        return {
          scope: yield* oneScope(scopes),
          ...(yield* claimsParameter(claims, options.clientCapabilities))
        }
      }),
    refused: (answer, assertion, { scope = "" }) =>
      classify(answer, assertion, { tenantId, clientId, scope, authority: host }),
    fetch
  })
})

const name = "entra"

const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const domain = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i

/** What can be told to be wrong before any call. */
const settings = ({ audience, authorityHost, clientId, cloud, tenantId }: Options) => {
  if (["common", "organizations", "consumers"].includes(tenantId.toLowerCase())) {
    return misconfigured(
      "tenantId",
      `"${tenantId}" is no tenant`,
      "Name the tenant that trusts the workload, by its id."
    )
  }
  if (!guid.test(tenantId) && !domain.test(tenantId)) {
    return misconfigured(
      "tenantId",
      `"${tenantId}" is neither a GUID nor a domain`,
      "Take the directory (tenant) id from the app registration's overview."
    )
  }
  if (!guid.test(clientId)) {
    return misconfigured(
      "clientId",
      `"${clientId}" is not a GUID`,
      "Take the application (client) id from the app registration's overview, not its name or object id."
    )
  }
  const chosen: Cloud = clouds[cloud ?? "public"]
  return Result.map(
    endpoint("authorityHost", authorityHost ?? chosen.authorityHost),
    ({ origin, pathname }) => {
      const host = `${origin}${pathname.replace(/\/+$/, "")}`
      const preferred = (cloud === undefined ? (cloudOf(host) ?? chosen) : chosen).audience
      return {
        host,
        audience: {
          ...(preferred !== undefined && { preferredAudience: preferred }),
          ...(audience !== undefined && { audience })
        }
      }
    }
  )
}

/** The one scope of a request: `<resource>/.default`; a resource that ends in a slash keeps it (`//.default`). */
const oneScope = (scopes: ReadonlyArray<string>) => {
  const [first, ...more] = new Set(scopes)
  if (first === undefined) {
    return misconfigured(
      "scopes",
      "no scope is asked for, and the exchanger has no default",
      "Name the resource: https://graph.microsoft.com/.default is Microsoft Graph."
    )
  }
  if (more.length > 0) {
    return misconfigured(
      "scopes",
      `one token is for one resource, and ${more.length + 1} scopes are asked for: ${[first, ...more].join(", ")}`,
      "Ask for each <resource>/.default by itself."
    )
  }
  if (/^[!-~]+\/\.default$/.test(first)) return Result.succeed(first)
  return misconfigured(
    "scopes",
    `"${first}" is not of the form <resource>/.default, the only one that a workload can ask for`,
    /\s/.test(first)
      ? "Ask for each <resource>/.default by itself."
      : `For all that was granted on that resource write ${first.replace(/\/+$/, "")}/.default; single permissions are granted to the app, not asked for.`
  )
}
