/** The federated credentials of an app, read from Microsoft Graph. */
import { FederationError, Malformed, Misconfigured, Rejected, Unavailable } from "@federate/core"
import type { Reason } from "@federate/core"
import { endpoint, json, overloaded, publicText, send, unexpected } from "@federate/http"
import type { HttpAnswer, Platform } from "@federate/http"
import type { Access, TrustReader } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { cloudOf, clouds } from "./clouds.ts"
import type { Cloud } from "./clouds.ts"
import type { Options } from "./exchanger.ts"

type App = Pick<Options, "clientId" | "cloud" | "authorityHost">

/** https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials: Application.Read.All will do. */
const read = Effect.fnUntraced(
  function* (
    { authorityHost, clientId, cloud = "public" }: App,
    { token }: Access,
    { environment, fetch }: Platform
  ): Effect.fn.Return<ReadonlyArray<unknown>, Reason> {
    const own: Cloud | undefined =
      authorityHost === undefined ? clouds[cloud] : cloudOf(authorityHost)
    const graph = environment?.("GRAPH_BASE_URL") || own?.graph
    if (graph === undefined) {
      return yield* Effect.fail(
        new Misconfigured({
          setting: "GRAPH_BASE_URL",
          problem: "is not set, and the Microsoft Graph of this cloud is not known",
          hint: "Set it to the cloud's Microsoft Graph."
        })
      )
    }
    const { href } = yield* Effect.fromResult(endpoint("GRAPH_BASE_URL", graph))
    if (token === undefined) {
      return yield* Effect.fail(
        new Unavailable({
          detail:
            "Without a token for Microsoft Graph the app's federated credentials were not read",
          hint: "Give one that has Application.Read.All, such as the Azure CLI's: `az account get-access-token --resource-type ms-graph --query accessToken -o tsv`."
        })
      )
    }
    const answer = yield* send(
      {
        url: `${href.replace(/\/$/, "")}/v1.0/applications(appId='${clientId}')/federatedIdentityCredentials`,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${Redacted.value(token)}`
        }
      },
      { fetch }
    )
    const value = json(answer)?.["value"]
    if (answer.status === 200 && Array.isArray(value)) return value
    return yield* Effect.fail(refused(answer, clientId))
  },
  Effect.mapError(
    (reason) => new FederationError({ adapter: "entra", stage: "configuration", reason })
  )
)

const hints: Readonly<Record<string, string>> = {
  InvalidAuthenticationToken: "The token is not for Microsoft Graph, or has expired.",
  Authorization_RequestDenied:
    "Who holds the token may not read applications: it needs Application.Read.All, or to own the app.",
  Request_ResourceNotFound:
    "There is no app with the client id {clientId} in the tenant of the token: compare both with the app registration."
}

const refused = (answer: HttpAnswer, clientId: string): Reason => {
  const error = json(answer)?.["error"]
  if (answer.status < 400 || !Predicate.isObject(error)) {
    return overloaded(answer) ?? unexpected(answer)
  }
  const { code, message } = error as Readonly<Record<string, unknown>>
  if (typeof code !== "string") return new Malformed({ detail: "Graph's error has no code" })
  return (
    overloaded(answer) ??
    new Rejected({
      code: publicText(code),
      status: answer.status,
      description: typeof message === "string" ? publicText(message) : "Graph gave no message",
      hint: (hints[code] ?? "Look the code up in Microsoft Graph's reference.").replace(
        "{clientId}",
        `"${clientId}"`
      ),
      remedy: "none"
    })
  )
}

export const trustReader: TrustReader<App, Platform> = {
  type: "entra",
  scope: "https://graph.microsoft.com/.default",
  read
}
