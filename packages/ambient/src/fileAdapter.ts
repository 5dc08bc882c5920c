/** `type: file` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { file } from "./file.ts"

const config = Schema.Struct({
  path: Schema.String.annotate({ description: "Where the token is; it is read each time" })
})

export const fileAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> = {
  type: "file",
  description: "A file: the token that a platform leaves there, and renews",
  metered: false,
  config,
  make: file
}
