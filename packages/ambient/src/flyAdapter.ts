/** `type: fly` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { fly } from "./fly.ts"
import { audience, optionalText } from "./settings.ts"

const config = Schema.Struct({
  audience,
  socket: optionalText("The unix socket of the machine's own API; /.fly/api without it")
})

export const flyAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "fly",
  description: "Fly.io: a token about the machine",
  metered: true,
  config,
  // Over the socket alone.
  make: fly
}
