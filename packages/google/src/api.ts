/** The APIs that keep a trust at Google: IAM's, and Resource Manager's. */
import { FederationError, Malformed, Unavailable } from "@federate/core"
import type { Reason } from "@federate/core"
import { endpoint, json, platformEnvironment, send } from "@federate/http"
import type { Platform } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { refusedByManagement } from "./classify.ts"

interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** From `/v1/` on, with its query. */
  readonly path: string
  readonly body?: object
}

type Answer = Readonly<Record<string, unknown>>

export interface Api {
  /** One call, no retries. Nothing when what is asked for does not exist. */
  readonly call: (request: ApiRequest) => Effect.Effect<Answer | undefined, Reason>
}

/** What moves them elsewhere: gcloud's own variables (https://cloud.google.com/sdk/docs/properties#setting_properties_using_environment_variables). */
const overrides = {
  iam: "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM",
  cloudresourcemanager: "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER"
} as const

/**
 * https://cloud.google.com/iam/docs/reference/rest, https://cloud.google.com/resource-manager/reference/rest
 *
 * @param token of the scope `https://www.googleapis.com/auth/cloud-platform`
 */
export const makeApi = (
  name: keyof typeof overrides,
  universeDomain: string,
  token: Effect.Effect<Redacted.Redacted | undefined, FederationError>,
  { environment = platformEnvironment, fetch }: Platform
): Api => ({
  call: Effect.fnUntraced(function* ({ body, method, path }) {
    const base = environment(overrides[name]) || `https://${name}.${universeDomain}/`
    const { href } = yield* Effect.fromResult(endpoint(overrides[name], base))
    const held = yield* Effect.mapError(token, ({ reason }) => reason)
    if (held === undefined) return yield* Effect.fail(noToken)
    const answer = yield* send(
      {
        url: `${href.replace(/\/$/, "")}${path}`,
        method,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${Redacted.value(held)}`,
          ...(body !== undefined && { "content-type": "application/json" })
        },
        ...(body !== undefined && { body: JSON.stringify(body) })
      },
      { fetch }
    )
    const told = json(answer)
    if (answer.status === 404 && told !== undefined && "error" in told) return undefined
    if (answer.status !== 200) return yield* Effect.fail(refusedByManagement(answer))
    return (
      told ?? (yield* Effect.fail(new Malformed({ detail: "Google's answer is no JSON object" })))
    )
  })
})

const noToken = new Unavailable({
  detail: "Without a token for Google's IAM API the provider was not read",
  hint: "Give one that may view workload identity pools: `gcloud auth print-access-token` prints it."
})
