/** The federated credentials of an app, read from Microsoft Graph. */
import { inConfiguration, Unavailable } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Access, Problem, TrustReader } from "@federate/trust"
import { word } from "@federate/trust/shell"
import * as Effect from "effect/Effect"
import type { Options } from "./exchanger.ts"
import { graphScope, makeGraph } from "./graph.ts"

type App = Pick<Options, "clientId" | "cloud" | "authorityHost">

/** https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials: Application.Read.All will do. */
const read = Effect.fnUntraced(function* (
  app: App,
  { token }: Access,
  platform: Platform
): Effect.fn.Return<ReadonlyArray<unknown>, Reason> {
  const { clientId } = app
  const graph = yield* makeGraph(app, platform, `app with the client id "${clientId}"`)
  if (token === undefined) {
    return yield* Effect.fail(
      new Unavailable({
        detail: "Without a token for Microsoft Graph the app's federated credentials were not read",
        hint: "Give one that has Application.Read.All, such as the Azure CLI's: `az account get-access-token --resource-type ms-graph --query accessToken -o tsv`."
      })
    )
  }
  return yield* graph.list(token, `applications(appId='${clientId}')/federatedIdentityCredentials`)
}, inConfiguration("entra"))

/** https://learn.microsoft.com/cli/azure/ad/app/federated-credential#az-ad-app-federated-credential-create */
const missing = (
  { clientId }: App,
  { audience, issuer, subject }: Assertion.Assertion
): Problem => {
  const credential = JSON.stringify({
    name: "federate",
    issuer,
    subject,
    audiences: audience.slice(0, 1)
  })
  return {
    what: `The app ${clientId} has no federated credential at all`,
    fix: `Add one for this very token, if that is the workload that is meant: \`az ad app federated-credential create --id ${word(clientId)} --parameters ${word(credential)}\`.`
  }
}

export const trustReader: TrustReader<App, Platform> = {
  type: "entra",
  scope: graphScope,
  read,
  missing
}
