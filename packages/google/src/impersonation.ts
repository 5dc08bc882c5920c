/** The IAM Service Account Credentials API: acting as a service account with a federated token. */
import type { Assertion, Reason } from "@federate/core"
import { send } from "@federate/http"
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { factsOf, refusedByApi } from "./classify.ts"
import { cloudPlatform } from "./federation.ts"
import type { Federated } from "./federation.ts"

export interface Call {
  readonly method: "generateAccessToken" | "generateIdToken"
  readonly serviceAccount: string
  readonly body: object
  /** For the hints. */
  readonly scopes?: ReadonlyArray<string>
}

const permissions = {
  generateAccessToken: "iam.serviceAccounts.getAccessToken",
  generateIdToken: "iam.serviceAccounts.getOpenIdToken"
} as const

/**
 * Trades the assertion, and calls the method with the federated token
 * (https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts). Gives a good answer.
 */
export const impersonate = Effect.fnUntraced(function* (
  { audience, fetch, iamCredentials, provider, trade }: Federated,
  assertion: Assertion.Assertion,
  { body, method, scopes = [], serviceAccount }: Call
): Effect.fn.Return<HttpAnswer, Reason> {
  // The federated token is for this one call: what it may do is the service account's matter.
  const { token } = yield* trade(assertion, [cloudPlatform])
  const answer = yield* send(
    {
      url: `${iamCredentials}/v1/projects/-/serviceAccounts/${serviceAccount}:${method}`,
      method: "POST",
      headers: {
        accept: "application/json",
        authorization: `Bearer ${Redacted.value(token)}`,
        "content-type": "application/json"
      },
      body: JSON.stringify(body)
    },
    { fetch }
  )
  if (answer.status === 200) return answer
  const permission = permissions[method]
  const facts = factsOf(assertion, { audience, provider, scopes, serviceAccount, permission })
  return yield* Effect.fail(refusedByApi(answer, facts))
})
