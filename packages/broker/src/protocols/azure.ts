/**
 * Azure managed identities: App Service (2019-08-01, and 2017-09-01 as Azure Machine Learning has it), IMDS, and Cloud
 * Shell.
 *
 * Sources: https://learn.microsoft.com/azure/app-service/overview-managed-identity,
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
import { randomUUID } from "node:crypto"
import type { AccessToken } from "@federate/core"
import type * as Clock from "effect/Clock"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { FederationError } from "@federate/core"
import { isRefusal, json, refusal, refusalHeaders } from "../Answer.ts"
import type { Answer, Refusal } from "../Answer.ts"
import type { AzureConfig } from "../BrokerConfig.ts"
import type { Headers } from "../Headers.ts"
import { oauthRefusal } from "../oauth.ts"
import { isScope, parameters } from "../parameters.ts"
import { posted } from "../posted.ts"
import * as Protocol from "../Protocol.ts"
import type { Route } from "../Route.ts"
import type { Secret } from "../Secret.ts"
import { isIssuing, named, only } from "../ServedFlow.ts"
import type { ServedFlow, ServedTokens } from "../ServedFlow.ts"

export const paths = {
  appService: "/msi/token",
  imds: "/metadata/identity/oauth2/token",
  cloudShell: "/msi/cloud-shell/token"
} as const

/** Which flow serves a resource, for whom. */
export type Resolve = (resource: string, identity: string | undefined) => ServedTokens | Refusal

/** Reads the mapping of resources and identities; a flow that it names must exist, and issue access tokens. */
export const resolver = (
  flows: ReadonlyArray<ServedFlow>,
  config: AzureConfig = {}
): Result.Result<Resolve, FederationError> =>
  Result.gen(function* () {
    const resources =
      config.resources && (yield* mapping(flows, "broker.azure.resources", config.resources))
    const identities = yield* mapping(flows, "broker.azure.identities", config.identities ?? {})
    const usual =
      config.flow === undefined
        ? only(
            flows
              .filter((each) => isIssuing(each, "AccessToken"))
              .filter(({ cloud }) => cloud === "azure"),
            "tokens for Azure",
            "broker.azure.flow"
          )
        : yield* named(flows, "broker.azure.flow", config.flow, "AccessToken")
    return (resource, identity) => {
      const byResource = resources?.get(canonical(resource))
      if (resources !== undefined && byResource === undefined) {
        return refusal(
          "invalid_request",
          `This broker serves no token for the resource ${resource}. It serves ${[...resources.keys()].join(", ") || "none"}; add it under broker.azure.resources.`
        )
      }
      if (identity === undefined) return byResource ?? usual
      const byIdentity = identities.get(canonical(identity))
      if (byIdentity !== undefined) return byIdentity
      const served = byResource ?? usual
      return isRefusal(served) || served.client?.toLowerCase() === identity.toLowerCase()
        ? served
        : refusal(
            "invalid_request",
            `Identity not found: this broker does not serve ${identity}${served.client === undefined ? "" : `, but ${served.client}`}. Name no identity (unset AZURE_CLIENT_ID), or add it under broker.azure.identities.`
          )
    }
  })

const mapping = (
  flows: ReadonlyArray<ServedFlow>,
  setting: string,
  by: Readonly<Record<string, string>>
): Result.Result<ReadonlyMap<string, ServedTokens>, FederationError> =>
  Result.map(
    Result.all(
      Object.entries(by).map(([key, name]) =>
        Result.map(
          named(flows, `${setting}.${key}`, name, "AccessToken"),
          (served) => [canonical(key), served] as const
        )
      )
    ),
    (entries) => new Map(entries)
  )

/** Resources and ids are the same in any case, and resources with and without a slash at their end. */
const canonical = (text: string): string => text.toLowerCase().replace(/(?<!\/)\/$/, "")

/** The names by which SDKs ask for a user-assigned identity; one at most. */
const selectors = ["client_id", "clientid", "object_id", "principal_id", "mi_res_id", "msi_res_id"]

const sha256 = /^[0-9a-f]{64}$/i

interface Shape {
  readonly name: string
  readonly authorize: (headers: Headers) => Refusal | undefined
  /** Whether a version of the protocol must be named. */
  readonly versioned: boolean
  readonly refuse: (refusal: Refusal) => Answer
  readonly method?: "POST"
  readonly anyCase?: boolean
}

const protocol = (
  { versioned, ...shape }: Shape,
  resolve: Resolve
): Protocol.Protocol<AccessToken> => ({
  ...shape,
  contentType: "application/json",
  read: (query) => {
    const asked = parameters(query)
    if (isRefusal(asked)) return asked
    const version = asked.get("api-version")
    if (versioned && (version === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(version))) {
      return refusal(
        "invalid_request",
        "The parameter api-version is missing, or is not a date such as 2019-08-01."
      )
    }
    const resource = asked.get("resource")
    if (resource === undefined || resource === "") {
      return refusal(
        "invalid_request",
        "The parameter resource is missing: whom the token is for, such as https://graph.microsoft.com."
      )
    }
    if (!isScope(resource)) {
      return refusal(
        "invalid_request",
        "The parameter resource holds characters that a resource cannot have."
      )
    }
    const identities = selectors.filter(
      (name) => asked.get(name) !== undefined && asked.get(name) !== ""
    )
    if (identities.length > 1) {
      return refusal("invalid_request", `Name one identity, not several: ${identities.join(", ")}.`)
    }
    const served = resolve(
      resource,
      identities.length === 0 ? undefined : asked.get(identities[0]!)
    )
    if (isRefusal(served)) return served
    const rejected = asked.get("token_sha256_to_refresh")
    const scope = `${resource}/.default`
    return {
      flow: served.flow,
      request: { scopes: [scope] },
      scope,
      ...(rejected !== undefined && sha256.test(rejected) && { rejected: rejected.toLowerCase() }),
      write: (token, now) => body(token, now, resource, served.client)
    }
  }
})

/**
 * Everything as text, and `expires_in` before `expires_on`: of the two, MSAL.NET takes the later one; Python asks for
 * either; Go's adal reads digits alone.
 */
const body = (
  { expiresAt, obtainedAt, token, tokenType }: AccessToken,
  now: number,
  resource: string,
  client: string | undefined
): string => {
  const left = String(Math.max(0, Math.floor((expiresAt - now) / 1000)))
  return JSON.stringify({
    access_token: Redacted.value(token),
    ...(client !== undefined && { client_id: client }),
    expires_in: left,
    expires_on: String(Math.floor(expiresAt / 1000)),
    ext_expires_in: left,
    not_before: String(Math.floor(obtainedAt / 1000)),
    resource,
    token_type: tokenType
  })
}

/** App Service: both versions at one path, told apart by the header that carries the secret. */
export const appService = (resolve: Resolve, secret: Secret, clock: Clock.Clock): Route =>
  Protocol.route(
    protocol(
      {
        name: "azure-app-service",
        versioned: true,
        authorize: ({ identityHeader, secret: given }) =>
          secret.matches(identityHeader ?? given)
            ? undefined
            : refusal(
                "unauthorized",
                identityHeader === undefined && given === undefined
                  ? "The header X-IDENTITY-HEADER is missing. Send the value of $IDENTITY_HEADER."
                  : "The header X-IDENTITY-HEADER is not this broker's. Send the value of $IDENTITY_HEADER; it changes when the broker starts anew."
              ),
        refuse: (refused) => ({
          ...json(
            refused.status,
            { statusCode: refused.status, message: refused.message, correlationId: randomUUID() },
            refusalHeaders(refused)
          ),
          refused
        })
      },
      resolve
    ),
    clock
  )

/** IMDS and Cloud Shell carry no secret: the header keeps web pages out, and no more. */
const withMetadata = ({ metadata }: Headers): Refusal | undefined =>
  metadata?.toLowerCase() === "true"
    ? undefined
    : refusal("invalid_request", "Required metadata header not specified: send Metadata: true.")

export const imds = (resolve: Resolve, clock: Clock.Clock): Route =>
  Protocol.route(
    protocol(
      {
        name: "azure-imds",
        versioned: true,
        anyCase: true,
        authorize: withMetadata,
        refuse: oauthRefusal
      },
      resolve
    ),
    clock
  )

export const cloudShell = (resolve: Resolve, clock: Clock.Clock): Route =>
  posted(
    Protocol.route(
      protocol(
        {
          name: "azure-cloud-shell",
          method: "POST",
          versioned: false,
          authorize: withMetadata,
          refuse: oauthRefusal
        },
        resolve
      ),
      clock
    )
  )
