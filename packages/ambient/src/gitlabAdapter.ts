/** `type: gitlab` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { gitlab } from "./gitlab.ts"

const config = Schema.Struct({
  variable: Schema.String.annotate({
    description: "The name of the token under the job's id_tokens, and so of its variable"
  })
})

export const gitlabAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "gitlab",
  description: "GitLab CI/CD: the ID token that a job has in a variable",
  metered: false,
  config,
  make: (settings, { environment }) => gitlab({ ...settings, environment })
}
