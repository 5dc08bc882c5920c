/** What a service account token's settings fix of it, for `@federate/trust`. */
import type { SourceRules } from "@federate/trust"
import * as Duration from "effect/Duration"
import type { KubernetesTokenRequestOptions } from "./kubernetesTokenRequest.ts"

export const kubernetesTokenRequestRules: SourceRules<KubernetesTokenRequestOptions> = {
  type: "kubernetes-token-request",
  expected: ({ expiration = "1 hour", namespace, serviceAccount }) => ({
    subject:
      namespace === undefined || serviceAccount === undefined
        ? undefined
        : `system:serviceaccount:${namespace}:${serviceAccount}`,
    life: {
      setting: "expiration",
      milliseconds: Duration.toMillis(Duration.fromInputUnsafe(expiration))
    }
  }),
  check: () => []
}
