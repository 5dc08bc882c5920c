/** `type: circleci` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { circleci } from "./circleci.ts"
import { audience, optionalText } from "./settings.ts"

const config = Schema.Struct({
  audience,
  command: optionalText("CircleCI's own command; circleci without it, looked for in PATH")
})

export const circleciAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "circleci",
  description: "CircleCI: a token about the job, for its organization or any other audience",
  // One lies there, and the job's own command signs as often as it is run.
  metered: false,
  config,
  make: (settings, { environment }) => circleci({ ...settings, environment })
}
