/** Microsoft Graph, where an app's trust is kept: one call at a time, and what its errors mean. */
import { Malformed, Misconfigured, Rejected } from "@federate/core"
import type { Reason, Remedy } from "@federate/core"
import {
  endpoint,
  json,
  overloaded,
  platformEnvironment,
  publicText,
  send,
  unexpected
} from "@federate/http"
import type { HttpAnswer, Platform } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { cloudOf, clouds } from "./clouds.ts"
import type { Cloud, CloudName } from "./clouds.ts"

/** What a token for it must be asked for. */
export const graphScope = "https://graph.microsoft.com/.default"

/** Its own application (client) id, the same in every cloud. */
export const graphAppId = "00000003-0000-0000-c000-000000000000"

/** Whether a resource is Microsoft Graph, by any of its names in any cloud. */
export const isGraph = (resource: string): boolean =>
  resource === graphAppId ||
  /^https:\/\/((dod-)?graph\.microsoft\.(com|us)|microsoftgraph\.chinacloudapi\.cn)\/?$/.test(
    resource
  )

export interface GraphOptions {
  readonly cloud?: CloudName | undefined
  readonly authorityHost?: string | undefined
}

export type Properties = Readonly<Record<string, unknown>>

export interface Call {
  /** Default: GET. */
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE"
  /** After `/v1.0/`. */
  readonly path: string
  readonly body?: Properties
}

export interface Graph {
  /** One call, no retries; what an answer without a body says is empty. */
  readonly call: (token: Redacted.Redacted, call: Call) => Effect.Effect<Properties, Reason>
  /** A collection, page by page. */
  readonly list: (
    token: Redacted.Redacted,
    path: string
  ) => Effect.Effect<ReadonlyArray<Properties>, Reason>
}

/** No collection that a trust is about is longer. */
const maximumPages = 100

/**
 * The cloud's own, or the one that `GRAPH_BASE_URL` names.
 *
 * @param about what a hint calls the app that is asked about
 */
export const makeGraph = Effect.fnUntraced(function* (
  { authorityHost, cloud = "public" }: GraphOptions,
  { environment = platformEnvironment, fetch }: Platform,
  about: string
): Effect.fn.Return<Graph, Misconfigured> {
  const own: Cloud | undefined =
    authorityHost === undefined ? clouds[cloud] : cloudOf(authorityHost)
  const named = environment("GRAPH_BASE_URL") || own?.graph
  if (named === undefined) {
    return yield* Effect.fail(
      new Misconfigured({
        setting: "GRAPH_BASE_URL",
        problem: "is not set, and the Microsoft Graph of this cloud is not known",
        hint: "Set it to the cloud's Microsoft Graph."
      })
    )
  }
  const { href } = yield* Effect.fromResult(endpoint("GRAPH_BASE_URL", named))
  const base = `${href.replace(/\/$/, "")}/v1.0/`

  const call: Graph["call"] = Effect.fnUntraced(function* (token, { body, method = "GET", path }) {
    const answer = yield* send(
      {
        url: `${base}${path}`,
        method,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${Redacted.value(token)}`,
          ...(body !== undefined && { "content-type": "application/json" })
        },
        ...(body !== undefined && { body: JSON.stringify(body) })
      },
      { fetch }
    )
    if (answer.status === 204) return {}
    const good = answer.status < 300 ? json(answer) : undefined
    return good ?? (yield* Effect.fail(refused(answer, about)))
  })

  return {
    call,
    list: Effect.fnUntraced(function* (token, path) {
      const all: Array<Properties> = []
      let next: string | undefined = path
      for (let page = 0; next !== undefined && page < maximumPages; page++) {
        const answer: Properties = yield* call(token, { path: next })
        const { value, "@odata.nextLink": link } = answer
        if (!Array.isArray(value)) {
          return yield* Effect.fail(new Malformed({ detail: "Graph's list is none" }))
        }
        all.push(...value.filter(isProperties))
        // The token goes nowhere else.
        next =
          typeof link === "string" && link.startsWith(base) ? link.slice(base.length) : undefined
      }
      return all
    })
  }
})

const isProperties = (value: unknown): value is Properties =>
  Predicate.isObject(value) && !Array.isArray(value)

/** Nothing where there is nothing. */
export const orNothing = <A>(
  found: Effect.Effect<A, Reason>
): Effect.Effect<A | undefined, Reason> =>
  Effect.catchIf(
    found,
    (reason) => reason._tag === "Rejected" && reason.status === 404,
    () => Effect.undefined
  )

const hints: Readonly<Record<string, string>> = {
  InvalidAuthenticationToken: "The token is not for Microsoft Graph, or has expired.",
  Authorization_RequestDenied:
    "Who holds the token may not do this. To read an app takes Application.Read.All, or to own it; to write one Application.ReadWrite.All (or .OwnedBy); to grant app roles AppRoleAssignment.ReadWrite.All.",
  Request_ResourceNotFound:
    "There is no {about} in the tenant of the token: compare both with the app registration. One that was just made is there in a minute or two.",
  Directory_QuotaExceeded:
    "There is no room for more: an app has at most 20 federated credentials. `az ad app federated-credential list` shows them; delete those that nobody needs.",
  Request_MultipleObjectsWithSameKeyValue:
    "There is one already, with the same name, or the same issuer and subject.",
  ConcurrencyViolation: "Somebody else writes to the same app: run the same again."
}

/** What was just made is not everywhere at once, and who writes at the same time will be done soon. */
const remedies: Readonly<Record<string, Remedy>> = {
  ConcurrencyViolation: "waitForTrust",
  Request_MultipleObjectsWithSameKeyValue: "waitForTrust",
  Request_ResourceNotFound: "waitForTrust"
}

/** What an answer means that did not bring what was asked for: by status and code. */
const refused = (answer: HttpAnswer, about: string): Reason => {
  const busy = overloaded(answer)
  const error = json(answer)?.["error"]
  if (busy !== undefined || answer.status < 400 || !Predicate.isObject(error))
    return busy ?? unexpected(answer)
  const { code, message } = error as Properties
  if (typeof code !== "string") return new Malformed({ detail: "Graph's error has no code" })
  return new Rejected({
    code: publicText(code),
    status: answer.status,
    description: typeof message === "string" ? publicText(message) : "Graph gave no message",
    hint: (hints[code] ?? "Look the code up in Microsoft Graph's reference.").replace(
      "{about}",
      about
    ),
    remedy: remedies[code] ?? "none"
  })
}
