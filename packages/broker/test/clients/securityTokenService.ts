/** The little of Google's Security Token Service that an external account needs, trusting one issuer and audience. */
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"
import { remoteKeys, verify } from "@federate/oidc"
import { Effect, Redacted } from "effect"
import { listening } from "./surroundings.ts"

const pool =
  "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/cognito"

/** What the pool's provider is set up with. */
interface Provider {
  readonly issuer: string
  /** Where the issuer's keys are. */
  readonly jwksUri: string
  readonly allowedAudience: string
}

/** A token for each assertion that holds; a refusal in Google's words for each that does not. */
export const securityTokenService = Effect.fnUntraced(function* (provider: Provider) {
  const keys = yield* remoteKeys(provider)
  const issued: Array<{ readonly token: string; readonly assertion: string }> = []
  const trade = Effect.fnUntraced(
    function* (form: URLSearchParams) {
      const expected = {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        audience: pool,
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt"
      }
      for (const [name, value] of Object.entries(expected)) {
        if (form.get(name) !== value) {
          return yield* Effect.fail({ error: "invalid_request", error_description: name })
        }
      }
      const assertion = form.get("subject_token") ?? ""
      yield* verify(Redacted.make(assertion), {
        keys,
        algorithms: ["RS512"],
        issuer: provider.issuer,
        audience: provider.allowedAudience
      })
      const token = randomUUID()
      issued.push({ token, assertion })
      return {
        access_token: token,
        issued_token_type: expected.requested_token_type,
        token_type: "Bearer",
        expires_in: 3599
      }
    },
    Effect.mapError((refused) =>
      refused instanceof Error
        ? { error: "invalid_grant", error_description: refused.message }
        : refused
    )
  )
  const origin = yield* listening(async (request, response) => {
    const form = new URLSearchParams(await text(request))
    const [status, body] = await Effect.runPromise(
      Effect.match(trade(form), {
        onSuccess: (answer) => [200, answer] as const,
        onFailure: (refusal) => [400, refusal] as const
      })
    )
    response.writeHead(status, { "content-type": "application/json" })
    response.end(JSON.stringify(body))
  })
  /** The configuration file of a workload that is let in. */
  const configuration = (source: object): string =>
    JSON.stringify({
      type: "external_account",
      audience: pool,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${origin}/v1/token`,
      credential_source: source
    })
  return { issued, configuration }
})
