/** `type: vault` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { Schema } from "effect"
import { source } from "./source.ts"

const config = Schema.Struct({
  address: Schema.String.annotate({ description: "Vault's address: https, or http on loopback" }),
  role: Schema.String.annotate({
    description: "The role that signs; its client id is the assertion's audience"
  }),
  token: Schema.RedactedFromValue(
    Schema.String.annotate({ description: "What Vault knows this workload by: ${VAULT_TOKEN}" })
  )
})

export const vault: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "vault",
  description: "HashiCorp Vault: an identity token, signed for who holds a Vault token",
  // It signs as often as it is asked.
  metered: false,
  config,
  make: (settings, { fetch }) => source({ ...settings, fetch })
}
