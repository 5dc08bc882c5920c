/** HCP Terraform and Terraform Enterprise as an assertion source: the workload identity token of a run. */
import { AssertionSource, configured } from "@federate/core"
import type { FederationError } from "@federate/core"
import type { Environment } from "@federate/http"
import * as Effect from "effect/Effect"
import { checkedName, tokenInVariable } from "./variable.ts"

export interface HcpTerraformOptions {
  /** Which of several tokens: what stands after `TFC_WORKLOAD_IDENTITY_TOKEN_`. Default: the one without a tag. */
  readonly tag?: string | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "hcp-terraform"

/**
 * https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/manual-generation: a token
 * for whom the workspace's variable `TFC_WORKLOAD_IDENTITY_AUDIENCE` says, signed when a phase of the run starts. Its
 * subject is `organization:O:project:P:workspace:W:run_phase:PHASE`: plan and apply are two. Without it, it is
 * `Unavailable`.
 */
export const hcpTerraform = Effect.fnUntraced(function* ({
  environment,
  tag
}: HcpTerraformOptions = {}): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  yield* configured(name, checkedName("tag", tag ?? "_", true))
  const suffix = tag === undefined ? "" : `_${tag}`
  const setAudience = `TFC_WORKLOAD_IDENTITY_AUDIENCE${suffix}`
  return AssertionSource.make({
    name,
    offers: { algorithms: ["RS256"] },
    assertion: (request) =>
      tokenInVariable(request, {
        variable: `TFC_WORKLOAD_IDENTITY_TOKEN${suffix}`,
        environment,
        absent: `Run in HCP Terraform, in a workspace with the environment variable ${setAudience}; agents of one's own from 1.7.0 on.`,
        audience: (audience) => `Set the workspace's ${setAudience} to "${audience}".`,
        renewal: "It is signed when a phase of the run starts: ask before it ends, in each phase."
      })
  })
})
