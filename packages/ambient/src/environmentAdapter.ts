/** `type: environment` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { environment } from "./environment.ts"

const config = Schema.Struct({
  variable: Schema.String.annotate({ description: "The name of the variable that holds the token" })
})

export const environmentAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "environment",
  description: "An environment variable: the token that a platform puts there",
  metered: false,
  config,
  make: (settings, platform) => environment({ ...settings, environment: platform.environment })
}
