/** `type: azure-managed-identity` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { azureManagedIdentity } from "./azureManagedIdentity.ts"
import { optionalText } from "./settings.ts"

const config = Schema.Struct({
  clientId: optionalText("Which identity, by its client id; without it the only one there is"),
  objectId: optionalText("Which identity, by its object (principal) id"),
  resourceId: optionalText("Which identity, by its resource id: /subscriptions/…"),
  resource: optionalText(
    "Whom the token is for where the relying party demands nobody; api://AzureADTokenExchange, or the relying party's Entra cloud's, without it"
  )
})

export const azureManagedIdentityAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "azure-managed-identity",
  description:
    "Azure managed identity: its own token, of App Service or of the machine's metadata server",
  metered: true,
  config,
  make: (settings, { environment, fetch }) =>
    azureManagedIdentity({ ...settings, environment, fetch })
}
