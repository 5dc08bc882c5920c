/** The sources by their names in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import type * as Schema from "effect/Schema"
import { azureManagedIdentityAdapter } from "./azureManagedIdentityAdapter.ts"
import { googleMetadataAdapter } from "./googleMetadataAdapter.ts"
import { kubernetesAdapter } from "./kubernetesAdapter.ts"
import { kubernetesTokenRequestAdapter } from "./kubernetesTokenRequestAdapter.ts"
import { spiffeAdapter } from "./spiffeAdapter.ts"
import { vaultAdapter } from "./vaultAdapter.ts"

type Settings = Schema.Decoder<unknown> & { readonly fields: Schema.Struct.Fields }

/** What each one's schema decodes to, its own `make` alone knows. */
export const sources: ReadonlyArray<Adapter.SourceAdapter<Settings, never, Platform>> = [
  azureManagedIdentityAdapter,
  googleMetadataAdapter,
  kubernetesAdapter,
  kubernetesTokenRequestAdapter,
  spiffeAdapter,
  vaultAdapter
]
