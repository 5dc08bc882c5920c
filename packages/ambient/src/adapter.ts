/** The sources by their names in a config file. */
import { azureManagedIdentityAdapter } from "./azureManagedIdentityAdapter.ts"
import { googleMetadataAdapter } from "./googleMetadataAdapter.ts"
import { kubernetesAdapter } from "./kubernetesAdapter.ts"
import { kubernetesTokenRequestAdapter } from "./kubernetesTokenRequestAdapter.ts"
import { spiffeAdapter } from "./spiffeAdapter.ts"
import { vaultAdapter } from "./vaultAdapter.ts"

export const sources = [
  azureManagedIdentityAdapter,
  googleMetadataAdapter,
  kubernetesAdapter,
  kubernetesTokenRequestAdapter,
  spiffeAdapter,
  vaultAdapter
] as const
