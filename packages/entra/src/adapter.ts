/** `type: entra` among the exchangers of a config file. */
import type { AccessToken, Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { cloudNames } from "./clouds.ts"
import { exchanger as make } from "./exchanger.ts"

const config = Schema.Struct({
  tenantId: Schema.String.annotate({
    description: "The directory (tenant) id, a GUID, or a verified domain"
  }),
  clientId: Schema.String.annotate({
    description: "The application (client) id, a GUID; not the object id"
  }),
  scopes: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "What is asked for when the caller does not say: one <resource>/.default",
      examples: [["https://graph.microsoft.com/.default"]]
    })
  ),
  cloud: Schema.optionalKey(
    Schema.Literals(cloudNames).annotate({
      description: "Moves authority and audience together; public without it"
    })
  ),
  authorityHost: Schema.optionalKey(
    Schema.String.annotate({ description: "An authority of its own: https, or http on loopback" })
  ),
  audience: Schema.optionalKey(
    Schema.String.annotate({
      description: "The audience that the federated credential lists, where it must be that one"
    })
  ),
  clientCapabilities: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description:
        "What whoever uses the tokens can do; cp1: answer the claims challenges of continuous access evaluation",
      examples: [["cp1"]]
    })
  )
})

export const exchanger: Adapter.ExchangerAdapter<
  typeof config,
  typeof config.Type,
  Platform,
  AccessToken
> = {
  type: "entra",
  description:
    "Microsoft Entra ID: an access token for Microsoft Graph, Azure, or any app of the tenant",
  config,
  issues: "AccessToken",
  cloud: "azure",
  client: ({ clientId }) => clientId,
  scopes: ({ scopes }) => scopes,
  make: (options, { fetch }) => make({ ...options, fetch })
}
