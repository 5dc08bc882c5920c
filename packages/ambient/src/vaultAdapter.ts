/** `type: vault` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { optionalSecret, optionalText } from "./settings.ts"
import { vault } from "./vault.ts"

const config = Schema.Struct({
  role: Schema.String.annotate({
    description: "The role that signs; its client id is the assertion's audience"
  }),
  address: optionalText("Vault's address: https, or http on loopback; VAULT_ADDR without it"),
  token: optionalSecret("What Vault knows this workload by, instead of `tokenFile`"),
  tokenFile: optionalText("Where that is written, as by Vault's agent; VAULT_TOKEN without both"),
  namespace: optionalText("VAULT_NAMESPACE without it")
})

export const vaultAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "vault",
  description: "HashiCorp Vault or OpenBao: an identity token, for who holds one of its own tokens",
  // It signs as often as it is asked.
  metered: false,
  config,
  make: (settings, { environment, fetch }) => vault({ ...settings, environment, fetch })
}
