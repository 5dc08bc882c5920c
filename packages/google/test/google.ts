/** Answers of Google's STS and of its APIs, for tests. */
import type { FederationError, Remedy } from "@federate/core"
import type { Fetch } from "@federate/http"
import type { RefusedAnswer } from "@federate/testing"
import { assert } from "@effect/vitest"
import { Effect } from "effect"

export const audience =
  "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/my-pool/providers/my-provider"

export const serviceAccount = "workload@my-project.iam.gserviceaccount.com"

export const stsAnswer = () =>
  Response.json({
    access_token: "THE-FEDERATED-TOKEN",
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3599
  })

/** An hour from the server's time, which its `Date` tells. */
export const impersonated = (now?: number) => () =>
  Response.json(
    {
      accessToken: "THE-ACCOUNT-TOKEN",
      expireTime: new Date((now ?? 0) + 3_600_000).toISOString().replace(".000Z", "Z")
    },
    now === undefined ? {} : { headers: { date: new Date(now).toUTCString() } }
  )

/** A good STS, and behind it an API that answers so. */
export const two =
  (api: () => Response): Fetch =>
  async (url) =>
    new URL(url).pathname === "/v1/token" ? stsAnswer() : api()

export const stsError = (error: string, description: string) => () =>
  Response.json({ error, error_description: description }, { status: 400 })

export const apiError = (code: number, status: string, message: string, reason?: string) => () =>
  Response.json(
    {
      error: {
        code,
        message,
        status,
        ...(reason !== undefined && {
          details: [
            {
              "@type": "type.googleapis.com/google.rpc.ErrorInfo",
              reason,
              domain: "googleapis.com"
            }
          ]
        })
      }
    },
    { status: code }
  )

export const refused = (
  code: string,
  description: string,
  remedy: Remedy,
  hint: RegExp
): RefusedAnswer => ({
  name: `${code}, ${description}`,
  answer: stsError(code, description),
  becomes: "Rejected",
  code,
  remedy,
  hint
})

/** Why the other side said no. */
export const refusedBy = Effect.fnUntraced(function* (
  effect: Effect.Effect<unknown, FederationError>
) {
  const { reason } = yield* Effect.flip(effect)
  if (reason._tag !== "Rejected") return assert.fail(`it is ${reason._tag}`)
  return reason
})
