/** Kubernetes as an assertion source: the service account token that a pod has in a projected volume. */
import { AssertionSource, FederationError, Misconfigured } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import * as Effect from "effect/Effect"
import { fit } from "./fit.ts"
import { readAssertionFile } from "@federate/local"

export interface KubernetesOptions {
  /** Where the pod has the volume's token. Default: `/var/run/secrets/federate/token`. */
  readonly tokenFile?: string | undefined
}

const name = "kubernetes"
const setting = "tokenFile"

/** What the kubelet gives every pod for the API server of its cluster. */
export const ownToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

/**
 * https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection:
 * the kubelet puts a new token in the file's place when four fifths of its life have passed, so it is read each time.
 * The pod's manifest says whom it is for. Its subject is `system:serviceaccount:NAMESPACE:NAME`, its issuer the
 * cluster's, which the relying party must reach. Without the file it is `Unavailable`.
 */
export const kubernetes = Effect.fnUntraced(function* ({
  tokenFile: path = "/var/run/secrets/federate/token"
}: KubernetesOptions = {}): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  if (path === ownToken) {
    return yield* new FederationError({
      adapter: name,
      stage: "configuration",
      reason: new Misconfigured({
        setting,
        problem: `${path} is the pod's key to its API server, which nobody else may see`,
        hint: "Give the pod another token: a projected volume with a serviceAccountToken for the relying party's audience. Or take `kubernetes-token-request`."
      })
    })
  }
  return AssertionSource.make({
    name,
    assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
      Assertion.Assertion,
      Reason
    > {
      const assertion = yield* readAssertionFile({ setting, path, absent })
      return yield* Effect.fromResult(
        fit(request, assertion, {
          setting,
          place: path,
          audience: (audience) =>
            `Write \`audience: ${audience}\` for the serviceAccountToken in the pod's manifest.`,
          renewal:
            "Mount the volume as a directory: what is mounted with subPath is never renewed. Or mend this machine's clock."
        })
      )
    })
  })
})

const absent =
  "Run in a pod, and mount a projected volume with a serviceAccountToken there, as a directory."
