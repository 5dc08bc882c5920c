/** `type: vercel` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { audience } from "./settings.ts"
import { vercel } from "./vercel.ts"

const config = Schema.Struct({
  audience
})

export const vercelAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "vercel",
  description: "Vercel: a token about the project and its environment",
  // It lies there; only for another audience is anything asked.
  metered: false,
  config,
  make: (settings, { environment, fetch }) => vercel({ ...settings, environment, fetch })
}
