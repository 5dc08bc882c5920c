/** `type: hcp-terraform` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { hcpTerraform } from "./hcpTerraform.ts"
import { optionalText } from "./settings.ts"

const config = Schema.Struct({
  tag: optionalText(
    "Which of several tokens: what stands after TFC_WORKLOAD_IDENTITY_TOKEN_; without it the one that has no tag"
  )
})

export const hcpTerraformAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "hcp-terraform",
  description: "HCP Terraform: the workload identity token of a run",
  metered: false,
  config,
  make: (settings, { environment }) => hcpTerraform({ ...settings, environment })
}
