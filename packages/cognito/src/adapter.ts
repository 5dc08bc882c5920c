/** `type: cognito` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { DurationFromText } from "@federate/schema"
import * as Schema from "effect/Schema"
import { source } from "./source.ts"

const config = Schema.Struct({
  identityPoolId: Schema.String.annotate({
    description: "The identity pool's id, REGION:GUID: the assertion's audience",
    examples: ["eu-central-1:00000000-0000-0000-0000-000000000000"]
  }),
  logins: Schema.Record(Schema.String, Schema.RedactedFromValue(Schema.String)).annotate({
    description:
      "The pool's developer provider with this workload's user id: { my.dev.provider: my_user_id }"
  }),
  identityId: Schema.optionalKey(
    Schema.String.annotate({ description: "Pins the identity, which is the assertion's subject" })
  ),
  tokenDuration: Schema.optionalKey(DurationFromText("From 1 s to 24 h; 15 minutes without it")),
  principalTags: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String).annotate({
      description: "At most 50; they stand in the token under https://aws.amazon.com/tags"
    })
  ),
  region: Schema.optionalKey(
    Schema.String.annotate({ description: "Only to be checked: the region is the pool's" })
  ),
  endpoint: Schema.optionalKey(
    Schema.String.annotate({ description: "Instead of AWS's own: https, or http on loopback" })
  )
})

export const adapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "cognito",
  description:
    "Amazon Cognito identity pool, developer identity: signed for with the workload's AWS credentials",
  metered: true,
  config,
  make: (options, { fetch }) => source({ ...options, fetch })
}
