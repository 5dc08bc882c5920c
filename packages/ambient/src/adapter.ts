/** The sources by their names in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import type * as Schema from "effect/Schema"
import { azureManagedIdentityAdapter } from "./azureManagedIdentityAdapter.ts"
import { azurePipelinesAdapter } from "./azurePipelinesAdapter.ts"
import { buildkiteAdapter } from "./buildkiteAdapter.ts"
import { circleciAdapter } from "./circleciAdapter.ts"
import { environmentAdapter } from "./environmentAdapter.ts"
import { executableAdapter } from "./executableAdapter.ts"
import { fileAdapter } from "./fileAdapter.ts"
import { flyAdapter } from "./flyAdapter.ts"
import { githubActionsAdapter } from "./githubActionsAdapter.ts"
import { gitlabAdapter } from "./gitlabAdapter.ts"
import { googleMetadataAdapter } from "./googleMetadataAdapter.ts"
import { hcpTerraformAdapter } from "./hcpTerraformAdapter.ts"
import { kubernetesAdapter } from "./kubernetesAdapter.ts"
import { kubernetesTokenRequestAdapter } from "./kubernetesTokenRequestAdapter.ts"
import { spiffeAdapter } from "./spiffeAdapter.ts"
import { vaultAdapter } from "./vaultAdapter.ts"
import { vercelAdapter } from "./vercelAdapter.ts"

type Settings = Schema.Decoder<unknown> & { readonly fields: Schema.Struct.Fields }

/** What each one's schema decodes to, its own `make` alone knows. */
export const sources: ReadonlyArray<Adapter.SourceAdapter<Settings, never, Platform>> = [
  azureManagedIdentityAdapter,
  azurePipelinesAdapter,
  buildkiteAdapter,
  circleciAdapter,
  environmentAdapter,
  executableAdapter,
  fileAdapter,
  flyAdapter,
  githubActionsAdapter,
  gitlabAdapter,
  googleMetadataAdapter,
  hcpTerraformAdapter,
  kubernetesAdapter,
  kubernetesTokenRequestAdapter,
  spiffeAdapter,
  vaultAdapter,
  vercelAdapter
]
