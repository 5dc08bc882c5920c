/** `type: kubernetes-token-request` in a config file. */
import type { Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { DurationFromText } from "@federate/schema"
import * as Schema from "effect/Schema"
import { kubernetesTokenRequest } from "./kubernetesTokenRequest.ts"
import { audience, optionalSecret, optionalText } from "./settings.ts"

const config = Schema.Struct({
  serviceAccount: optionalText("Whose token is asked for; who asks, without it"),
  namespace: optionalText("Where that account is; where who asks is, without it"),
  audience,
  expiration: Schema.optionalKey(
    DurationFromText("At least 10 minutes; the server's own, an hour, without it")
  ),
  server: optionalText(
    "The API server: https, or http on loopback; the one of the pod's cluster without it"
  ),
  token: optionalSecret("What the API server knows this workload by, instead of `tokenFile`"),
  tokenFile: optionalText("Where that is written; where a pod has its own, without it"),
  caFile: optionalText(
    "The certificates that the server's is signed by (PEM); where a pod has its cluster's, without it"
  )
})

export const kubernetesTokenRequestAdapter: Adapter.SourceAdapter<
  typeof config,
  typeof config.Type,
  Platform
> = {
  type: "kubernetes-token-request",
  description: "Kubernetes: a service account token that the cluster's API makes (TokenRequest)",
  metered: true,
  config,
  make: (settings, { environment, fetch }) =>
    kubernetesTokenRequest({ ...settings, environment, fetch })
}
