/** The flow to Microsoft Graph as a service: who needs a token requires it. */
import { source } from "@federate/cognito"
import { Flow, RetryPolicy } from "@federate/core"
import type { FederationError } from "@federate/core"
import { exchanger } from "@federate/entra"
import { Config, Context, Effect, Layer, Schedule } from "effect"

const settings = Config.all({
  identityPoolId: Config.String("COGNITO_IDENTITY_POOL_ID"),
  tenantId: Config.String("AZURE_TENANT_ID"),
  clientId: Config.String("AZURE_CLIENT_ID"),
  authorityHost: Config.String("AZURE_AUTHORITY_HOST").pipe(
    Config.withDefault("https://login.microsoftonline.com")
  )
})

/** Five quick tries for what may pass by itself, each told. A server's Retry-After comes on top. */
const retry = RetryPolicy.make({
  schedule: Schedule.spaced("100 millis").pipe(
    Schedule.upTo({ times: 4 }),
    Schedule.setInputType<FederationError>(),
    Schedule.while(({ input }) => input.reason._tag === "Transient"),
    Schedule.tap(({ attempt, input }) =>
      Effect.logWarning("Trying again").pipe(
        Effect.annotateLogs({ attempt, adapter: input.adapter, why: input.message })
      )
    )
  ),
  deadline: "20 seconds"
})

export class GraphFlow extends Context.Service<GraphFlow, Flow.Flow>()(
  "@federate/example-effect-app/GraphFlow"
) {
  /** The flow lives as long as the layer, and logs where the layer's own surroundings say. */
  static readonly layer = Layer.effect(
    GraphFlow,
    Effect.gen(function* () {
      const { identityPoolId, ...entra } = yield* settings
      return yield* Flow.make({
        name: "graph",
        source: yield* source({ identityPoolId, logins: { "my.dev.provider": "my_user_id" } }),
        exchanger: yield* exchanger({
          ...entra,
          scopes: ["https://graph.microsoft.com/.default"]
        }),
        retry
      })
    })
  )
}
