/** `type: kubernetes` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import * as Schema from "effect/Schema"
import { kubernetes } from "./kubernetes.ts"
import { optionalText } from "./settings.ts"

const config = Schema.Struct({
  tokenFile: optionalText(
    "Where the pod has the projected volume's token; /var/run/secrets/federate/token without it"
  )
})

export const kubernetesAdapter: Adapter.SourceAdapter<typeof config, typeof config.Type, Platform> =
  {
    type: "kubernetes",
    description: "Kubernetes: the service account token that a pod has in a projected volume",
    metered: false,
    config,
    make: kubernetes
  }
