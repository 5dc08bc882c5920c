/** Google's STS: an assertion for a federated token, by token exchange (RFC 8693). */
import { configured, Misconfigured } from "@federate/core"
import type {
  AccessToken,
  Assertion,
  AssertionSource,
  FederationError,
  Reason
} from "@federate/core"
import { json, send } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import { tokenAnswer } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Provider } from "./audience.ts"
import { factsOf, refusedByApi, refusedByTokenService } from "./classify.ts"
import { algorithms, federationOf } from "./settings.ts"
import type { Federation } from "./settings.ts"

export const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

const accessTokenType = "urn:ietf:params:oauth:token-type:access_token"

/**
 * `exp - iat` may be a day, in milliseconds. Azure's managed identities begin theirs five minutes before they are issued,
 * and are a documented source.
 */
const longestAssertion = 24 * 3_600_000 + 300_000

export interface Federated {
  /** The provider's full name, as it was written, and what it says. */
  readonly audience: string
  readonly provider: Provider
  readonly asks: AssertionSource.AssertionRequest
  /** The base URL of the IAM Service Account Credentials API. */
  readonly iamCredentials: string
  readonly fetch: Fetch | undefined
  readonly trade: (
    assertion: Assertion.Assertion,
    scopes: ReadonlyArray<string>
  ) => Effect.Effect<AccessToken, Reason>
}

/**
 * @param name stands in errors
 */
export const federation = Effect.fnUntraced(function* (
  name: string,
  options: Federation
): Effect.fn.Return<Federated, FederationError> {
  const { allowedAudience, audience, fetch, userProject } = options
  const { iamCredentials, provider, sts, subjectTokenType } = yield* configured(
    name,
    federationOf(options)
  )
  return {
    audience,
    provider,
    iamCredentials,
    fetch,
    asks: {
      algorithms,
      preferredAudience: `https:${audience}`,
      ...(allowedAudience !== undefined && { audience: allowedAudience })
    },
    trade: Effect.fnUntraced(function* (assertion, scopes) {
      const { lifetime = 0 } = assertion
      if (lifetime > longestAssertion) return yield* Effect.fail(livesTooLong(lifetime))
      const scope = scopes.join(" ")
      const answer = yield* send(
        {
          url: sts,
          method: "POST",
          headers: {
            accept: "application/json",
            "content-type": "application/x-www-form-urlencoded"
          },
          body: new URLSearchParams({
            grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
            audience,
            scope,
            requested_token_type: accessTokenType,
            subject_token: Redacted.value(assertion.token),
            subject_token_type: subjectTokenType,
            // Encoded once more inside the form, as Google's own libraries do.
            ...(userProject !== undefined && {
              options: encodeURIComponent(JSON.stringify({ userProject }))
            })
          }).toString()
        },
        { fetch }
      )
      const facts = factsOf(assertion, { audience, provider, scopes })
      return yield* isApiError(answer)
        ? Effect.fail(refusedByApi(answer, facts))
        : Effect.fromResult(
            tokenAnswer(answer, scope, (told) => refusedByTokenService(told, facts))
          )
    })
  }
})

/** The STS answers in OAuth's form, what stands before it (quotas, a disabled API) in that of Google's APIs. */
const isApiError = (answer: HttpAnswer): boolean => typeof json(answer)?.["error"] === "object"

const livesTooLong = (lifetime: number): Misconfigured =>
  new Misconfigured({
    setting: "source",
    problem: `its assertion lives ${Math.ceil(lifetime / 3_600_000)} hours, and Google takes 24`,
    hint: "Have the source ask for a shorter one: one exchange is all it is needed for."
  })
