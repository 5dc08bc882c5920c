/** `type: buildkite` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { DurationFromText } from "@federate/schema"
import * as Schema from "effect/Schema"
import { buildkite } from "./buildkite.ts"
import { audience, optionalText } from "./settings.ts"

const config = Schema.Struct({
  audience,
  lifetime: Schema.optionalKey(
    DurationFromText("How long it lives, in whole seconds; 5 minutes without it")
  ),
  subjectClaim: optionalText(
    "The claim that becomes the subject, such as pipeline_id; without it the subject holds the commit and the step"
  ),
  claims: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "Claims that it shall hold besides, such as organization_id"
    })
  )
})

export const buildkiteAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> =
  {
    type: "buildkite",
    description: "Buildkite: a token about the job",
    metered: true,
    config,
    make: (settings, { environment, fetch }) => buildkite({ ...settings, environment, fetch })
  }
