/** `type: google-metadata` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { googleMetadata } from "./googleMetadata.ts"
import { audience, optionalText } from "./settings.ts"

const config = Schema.Struct({
  audience,
  serviceAccount: optionalText(
    "The e-mail of one of the instance's service accounts; its default one without it"
  ),
  host: optionalText(
    "The metadata server, HOST:PORT, instead of GCE_METADATA_HOST and its own address"
  )
})

export const googleMetadataAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "google-metadata",
  description: "Google's metadata server: an ID token of the instance's service account",
  metered: true,
  config,
  make: (settings, { environment, fetch }) => googleMetadata({ ...settings, environment, fetch })
}
