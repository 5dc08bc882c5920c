/**
 * The metadata server of Google Compute Engine, as far as credentials need it.
 *
 * Source: https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
 */
import type { AccessToken, FederationError } from "@federate/core"
import type * as Clock from "effect/Clock"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { answer, isRefusal, refusal, refusalHeaders } from "../Answer.ts"
import type { Answer, Refusal } from "../Answer.ts"
import type { GceConfig } from "../BrokerConfig.ts"
import type { Headers } from "../Headers.ts"
import { isScope, parameters } from "../parameters.ts"
import * as Protocol from "../Protocol.ts"
import type { Route } from "../Route.ts"
import { isIssuing, named, only, tokenRequest } from "../ServedFlow.ts"
import type { ServedFlow, ServedTokens } from "../ServedFlow.ts"

/** On every answer: Google's clients take none without it. */
export const flavor = ["Metadata-Flavor", "Google", "Server", "Metadata Server for VM"] as const

const root = "/computeMetadata"

const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

const refuse = (refused: Refusal): Answer => ({
  ...text(refused.status, refused.message, refusalHeaders(refused)),
  refused
})

const text = (status: number, body: string, headers: ReadonlyArray<string> = []): Answer =>
  answer(status, "application/text", body, [...flavor, ...headers])

const authorize = ({ metadataFlavor }: Headers): Refusal | undefined =>
  metadataFlavor?.toLowerCase() === "google"
    ? undefined
    : refusal("forbidden", "Missing required header: send Metadata-Flavor: Google.")

/** A leaf's text (a number is one in JSON), or a folder. */
type Node = string | number | ReadonlyArray<string> | { readonly [name: string]: Node | undefined }

/** Nothing when no flow issues what a metadata server hands out: then there is none here, and SDKs look elsewhere. */
export const routes = (
  flows: ReadonlyArray<ServedFlow>,
  config: GceConfig = {},
  clock: Clock.Clock
): Result.Result<ReadonlyArray<readonly [string, Route]>, FederationError> =>
  Result.gen(function* () {
    const token = yield* chosen(
      flows,
      config.flow,
      "AccessToken",
      ({ cloud }) => cloud === "google"
    )
    const identity = yield* chosen(flows, config.identityFlow, "Assertion", () => true)
    if (token === undefined && identity === undefined) return []
    const email =
      config.email ??
      (token === undefined || isRefusal(token) ? undefined : token.client) ??
      "default"
    const { numericProjectId, projectId, universeDomain = "googleapis.com", zone } = config
    const account = {
      aliases: ["default"],
      email,
      scopes: config.scopes ?? [cloudPlatform]
    }
    const tree: Node = {
      computeMetadata: {
        v1: {
          instance: {
            "service-accounts": { default: account, [email]: account },
            ...(zone !== undefined && {
              zone: `projects/${numericProjectId ?? projectId ?? ""}/zones/${zone}`
            })
          },
          project: {
            "project-id": projectId,
            "numeric-project-id":
              numericProjectId === undefined ? undefined : Number(numericProjectId)
          },
          universe: { "universe-domain": universeDomain, universe_domain: universeDomain }
        }
      }
    }
    const tokens = Protocol.route(accessTokens(token ?? none("token"), config), clock)
    const identities = Protocol.route(identityTokens(identity ?? none("identity"), config), clock)
    return [
      ...walk("", tree),
      ...["default", email].flatMap((name) => {
        const folder = `${root}/v1/instance/service-accounts/${name}`
        return [
          [`${folder}/token`, tokens],
          [`${folder}/identity`, identities]
        ] as const
      })
    ]
  })

const none = (what: "token" | "identity"): Refusal =>
  refusal(
    "not_found",
    what === "token"
      ? "No flow of this broker issues tokens for Google. Name one at broker.gce.flow."
      : "No flow of this broker issues assertions. Name one that does at broker.gce.identityFlow."
  )

/** The flow that is named; else the only one of its kind, or why none can be told; nothing when there is none. */
const chosen = (
  flows: ReadonlyArray<ServedFlow>,
  name: string | undefined,
  issues: "AccessToken" | "Assertion",
  fits: (served: ServedTokens) => boolean
): Result.Result<ServedTokens | Refusal | undefined, FederationError> => {
  const setting = issues === "AccessToken" ? "broker.gce.flow" : "broker.gce.identityFlow"
  if (name !== undefined) return named(flows, setting, name, issues)
  const candidates = flows.filter((each) => isIssuing(each, issues)).filter(fits)
  return Result.succeed(
    candidates.length === 0
      ? undefined
      : only(candidates, issues === "AccessToken" ? "tokens for Google" : "assertions", setting)
  )
}

const accessTokens = (
  served: ServedTokens | Refusal,
  { scopes: allowed }: GceConfig
): Protocol.Protocol<AccessToken> => ({
  name: "gce-token",
  contentType: "application/json",
  headers: flavor,
  authorize,
  refuse,
  read: (query) => {
    if (isRefusal(served)) return served
    const asked = parameters(query)
    if (isRefusal(asked)) return asked
    const scopes = (asked.get("scopes") ?? "").split(/[\s,]+/).filter((scope) => scope !== "")
    if (!scopes.every(isScope)) {
      return refusal(
        "invalid_request",
        "The parameter scopes holds characters that a scope cannot have."
      )
    }
    const foreign =
      allowed === undefined ? undefined : scopes.find((scope) => !allowed.includes(scope))
    if (foreign !== undefined) {
      return refusal(
        "forbidden",
        `This broker serves no token for the scope ${foreign}; add it under broker.gce.scopes.`
      )
    }
    return {
      flow: served.flow,
      request: tokenRequest(served, scopes),
      scope: scopes.join(" "),
      write: ({ expiresAt, token, tokenType }, now) =>
        JSON.stringify({
          access_token: Redacted.value(token),
          expires_in: Math.max(0, Math.floor((expiresAt - now) / 1000)),
          token_type: tokenType
        })
    }
  }
})

const identityTokens = (
  served: ServedTokens | Refusal,
  { audiences: allowed }: GceConfig
): Protocol.Protocol<AccessToken> => ({
  name: "gce-identity",
  contentType: "application/text",
  headers: flavor,
  authorize,
  refuse,
  read: (query) => {
    if (isRefusal(served)) return served
    const asked = parameters(query)
    if (isRefusal(asked)) return asked
    const audience = asked.get("audience")
    if (audience === undefined || audience === "") {
      return refusal("invalid_request", "non-empty audience parameter required")
    }
    if (allowed !== undefined && !allowed.includes(audience)) {
      return refusal(
        "forbidden",
        `This broker serves no identity token for the audience ${audience}; add it under broker.gce.audiences.`
      )
    }
    return {
      flow: served.flow,
      request: { audience },
      scope: audience,
      write: ({ token }) => Redacted.value(token)
    }
  }
})

/** Every folder and leaf of a tree, by path. */
const walk = (path: string, node: Node): ReadonlyArray<readonly [string, Route]> => {
  if (isFolder(node)) {
    const present = Object.entries(node).filter(
      (entry): entry is [string, Node] => entry[1] !== undefined
    )
    return [
      // The page has the root: it says there whose server it is, too.
      ...(path === "" ? [] : [[path, folder(node, present)] as const]),
      ...present.flatMap(([name, child]) => walk(`${path}/${name}`, child))
    ]
  }
  const plain = typeof node === "object" ? node.join("\n") : String(node)
  return [[path, metadata(plain, JSON.stringify(node))]]
}

const isFolder = (node: Node): node is { readonly [name: string]: Node | undefined } =>
  typeof node === "object" && !Array.isArray(node)

const folder = (node: Node, present: ReadonlyArray<readonly [string, Node]>): Route => {
  const listing = present.map(([name, child]) => (isFolder(child) ? `${name}/` : name)).join("\n")
  return metadata(`${listing}\n`, JSON.stringify(recursive(node)))
}

/** As `?recursive=true` has it: names in camel case, but for those of accounts. */
const recursive = (node: Node, accounts = false): unknown =>
  isFolder(node)
    ? Object.fromEntries(
        Object.entries(node)
          .filter(([, child]) => child !== undefined)
          .map(([name, child]) => [
            accounts
              ? name
              : name.replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase()),
            recursive(child!, name === "service-accounts")
          ])
      )
    : node

const metadata = (plain: string, asJson: string): Route => {
  const answers = {
    text: text(200, plain),
    json: answer(200, "application/json", asJson, flavor)
  }
  return {
    protocol: "gce",
    method: "GET",
    refuse,
    handle: ({ headers, query }) => {
      const unauthorized = authorize(headers)
      if (unauthorized !== undefined) return refuse(unauthorized)
      const asked = parameters(query)
      if (isRefusal(asked)) return refuse(asked)
      const whole = asked.get("recursive")?.toLowerCase() === "true"
      const alt = asked.get("alt") ?? (whole ? "json" : "text")
      return alt === "json" ? answers.json : answers.text
    }
  }
}
