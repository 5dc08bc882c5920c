/** `type: github-actions` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { githubActions } from "./githubActions.ts"
import { audience } from "./settings.ts"

const config = Schema.Struct({
  audience
})

export const githubActionsAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "github-actions",
  description: "GitHub Actions: a token about the job",
  metered: true,
  config,
  make: (settings, { environment, fetch }) => githubActions({ ...settings, environment, fetch })
}
