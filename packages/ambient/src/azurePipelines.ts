/** Azure Pipelines as an assertion source: a token about a service connection, for Entra. */
import { AssertionSource, configured, Misconfigured, Unavailable } from "@federate/core"
import type { Assertion, FederationError, Reason, Reference } from "@federate/core"
import { endpoint, platformEnvironment } from "@federate/http"
import type { Environment, Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { forAudience } from "./fit.ts"
import { field, signed } from "./signing.ts"

export interface AzurePipelinesOptions {
  /**
   * The id of the service connection that the token is about. Default: `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`, which
   * the tasks AzureCLI and AzurePowerShell set.
   */
  readonly serviceConnectionId?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "azure-pipelines"

/**
 * https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure: a token of some 10 minutes for
 * `api://AzureADTokenExchange` alone, a new one whenever it is asked for. Issuer and subject are those of the service
 * connection, which shows them. Outside of a pipeline, and in a step that does not know the job's access token, it is
 * `Unavailable`.
 */
export const azurePipelines = Effect.fnUntraced(function* (
  options: AzurePipelinesOptions = {}
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { environment = platformEnvironment, fetch } = options
  const url = yield* configured(name, checked(options, environment))
  return AssertionSource.make({
    name,
    offers: { algorithms: ["RS256"] },
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      if (url === undefined) return yield* Effect.fail(absent)
      const job = environment(tokenVariable)
      if (job === undefined) return yield* Effect.fail(unmapped)
      const assertion = yield* signed({
        who: "Azure DevOps",
        fetch,
        request: {
          url,
          method: "POST",
          headers: {
            authorization: `Bearer ${job}`,
            "content-type": "application/json",
            // Else it would show people its sign-in page.
            "x-tfs-fedauthredirect": "Suppress"
          }
        },
        token: field("oidcToken"),
        hint: (status) =>
          status === 401 || status === 403
            ? `${tokenVariable} must be the job's own, $(System.AccessToken), and the pipeline be allowed to use the service connection.`
            : "Compare `serviceConnectionId` with the resource id in the service connection's settings: it must be of the type workload identity federation.",
        reference
      })
      return yield* Effect.fromResult(
        forAudience(
          request,
          assertion,
          () => "Azure DevOps makes them for Entra alone: take another source for anybody else."
        )
      )
    })
  })
})

const uriVariable = "SYSTEM_OIDCREQUESTURI"
const tokenVariable = "SYSTEM_ACCESSTOKEN"
const connectionVariable = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"

const absent = new Unavailable({
  detail: `${uriVariable} is not set`,
  hint: "Run in a job of Azure Pipelines."
})

const unmapped = new Unavailable({
  detail: `${tokenVariable} is not set`,
  hint: `Hand it on to the step: \`env: { ${tokenVariable}: $(System.AccessToken) }\`.`
})

/** Where to ask; nothing outside of a pipeline. */
const checked = (
  { serviceConnectionId }: AzurePipelinesOptions,
  environment: Environment
): Result.Result<string | undefined, Misconfigured> =>
  Result.gen(function* () {
    const uri = environment(uriVariable)
    if (uri === undefined) return undefined
    const url = yield* endpoint(uriVariable, uri)
    const id = serviceConnectionId ?? environment(connectionVariable)
    if (id === undefined || !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
      return yield* Result.fail(
        new Misconfigured({
          setting: id === serviceConnectionId ? "serviceConnectionId" : connectionVariable,
          problem: id === undefined ? "is absent" : "is no id of a service connection",
          hint: "Write the id that stands in the service connection's address (resourceId=…): not its name."
        })
      )
    }
    url.searchParams.set("api-version", "7.1")
    url.searchParams.set("serviceConnectionId", id)
    return url.href
  })

/** What Microsoft's support asks for. */
const reference = (headers: Headers): Reference => {
  const correlationId = headers.get("x-vss-e2eid")
  const traceId = headers.get("x-msedge-ref")
  return {
    ...(correlationId !== null && { correlationId }),
    ...(traceId !== null && { traceId })
  }
}
