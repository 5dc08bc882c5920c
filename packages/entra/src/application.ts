/** The application that asks Entra for tokens, and where it asks. */
import { configured, Misconfigured } from "@federate/core"
import type { AssertionSource, FederationError } from "@federate/core"
import { endpoint } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { cloudOf, clouds } from "./clouds.ts"
import type { Cloud, CloudName } from "./clouds.ts"

export interface ApplicationOptions {
  /** The tenant's id (a GUID), or one of its verified domains. */
  readonly tenantId: string
  /** The *application (client) id* of the app registration, or a user-assigned managed identity's client id: a GUID. */
  readonly clientId: string
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

/** An application as requests need it. */
export interface Application {
  readonly tenantId: string
  readonly clientId: string
  /** Without a slash at its end. */
  readonly authority: string
  readonly issuer: string
  readonly tokenEndpoint: string
  /** What the assertion must be that authenticates it. */
  readonly asks: AssertionSource.AssertionRequest
}

/**
 * Entra documents RS256 and calls the other RSA algorithms untested (Cognito's RS512 works); it refuses the elliptic
 * ones (AADSTS5002738).
 */
const algorithms = ["RS256", "RS512", "RS384", "PS256", "PS384", "PS512"]

/** Settings that cannot work are `Misconfigured`, before any call. */
export const application = (
  adapter: string,
  options: ApplicationOptions
): Effect.Effect<Application, FederationError> => configured(adapter, settings(options))

export const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const domain = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i

const settings = ({ audience, authorityHost, clientId, cloud, tenantId }: ApplicationOptions) => {
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
    ({ origin, pathname }): Application => {
      const authority = `${origin}${pathname.replace(/\/+$/, "")}`
      const preferred = (cloud === undefined ? (cloudOf(authority) ?? chosen) : chosen).audience
      return {
        tenantId,
        clientId,
        authority,
        issuer: `${authority}/${tenantId}/v2.0`,
        tokenEndpoint: `${authority}/${tenantId}/oauth2/v2.0/token`,
        asks: {
          ...(preferred !== undefined && { preferredAudience: preferred }),
          ...(audience !== undefined && { audience }),
          algorithms
        }
      }
    }
  )
}
