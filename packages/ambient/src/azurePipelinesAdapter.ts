/** `type: azure-pipelines` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { azurePipelines } from "./azurePipelines.ts"
import { optionalText } from "./settings.ts"

const config = Schema.Struct({
  serviceConnectionId: optionalText(
    "The id of the service connection that the token is about; AZURESUBSCRIPTION_SERVICE_CONNECTION_ID without it"
  )
})

export const azurePipelinesAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "azure-pipelines",
  description: "Azure Pipelines: a token about a service connection, for Microsoft Entra",
  metered: true,
  config,
  make: (settings, { environment, fetch }) => azurePipelines({ ...settings, environment, fetch })
}
