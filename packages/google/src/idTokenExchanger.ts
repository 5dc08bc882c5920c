/** Google Cloud as a token exchanger: ID tokens of a service account, for whoever trusts Google as an issuer. */
import { Assertion, configured, Credential, Malformed, TokenExchanger } from "@federate/core"
import type { AccessToken, FederationError, Reason } from "@federate/core"
import { json } from "@federate/http"
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { federation } from "./federation.ts"
import { impersonate } from "./impersonation.ts"
import { impersonationOf, jwtType, misconfigured } from "./settings.ts"
import type { Federation, Impersonation } from "./settings.ts"

export interface IdTokenOptions extends Federation, Impersonation {
  /** The audience of the ID token where a request names none of its own: a Cloud Run URL, an IAP client id. */
  readonly idTokenAudience?: string | undefined
  /** Whether the token tells the account's e-mail. Default true, as Cloud Run and IAP want it. */
  readonly includeEmail?: boolean | undefined
}

const name = "google-id-token"

/**
 * A service account's ID token (`generateIdToken`): a JWT by `https://accounts.google.com` about the account, for the
 * audience of the request or the configured one. It is no access token (`N_A`, RFC 8693 §2.2.1); it lives an hour.
 */
export const idTokenExchanger = Effect.fnUntraced(function* (
  options: IdTokenOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const federated = yield* federation(name, options)
  const { serviceAccount, ...delegates } = yield* configured(name, impersonationOf(options))
  const { idTokenAudience, includeEmail = true } = options
  return TokenExchanger.make({
    name,
    asks: federated.asks,
    exchange: Effect.fnUntraced(function* (
      assertion,
      { audience = idTokenAudience }
    ): Effect.fn.Return<AccessToken, Reason> {
      if (audience === undefined || audience === "") return yield* Effect.fromResult(noAudience)
      const answer = yield* impersonate(federated, assertion, {
        method: "generateIdToken",
        serviceAccount,
        body: { audience, includeEmail, ...delegates }
      })
      return yield* Effect.fromResult(readIdToken(answer))
    })
  })
})

const noAudience = misconfigured(
  "idTokenAudience",
  "is absent, and the request names no audience",
  "Write whom the token is for: a Cloud Run service's URL, an IAP client id, a relying party's name."
)

/** Google signs when asked: the token's own `iat` makes its `exp` a duration. */
const readIdToken = (answer: HttpAnswer): Result.Result<AccessToken, Malformed> =>
  Result.gen(function* () {
    const { token } = json(answer) ?? {}
    const { sentAt: obtainedAt } = answer
    const decoded = yield* Assertion.fromJwt(
      Redacted.make(typeof token === "string" ? token : ""),
      { obtainedAt, issuerTime: "iat" }
    )
    const { expiresAt } = decoded
    if (expiresAt === undefined || expiresAt <= obtainedAt) {
      return yield* Result.fail(new Malformed({ detail: "The ID token does not say when it ends" }))
    }
    return Credential.accessToken({
      token: decoded.token,
      tokenType: "N_A",
      issuedTokenType: jwtType,
      obtainedAt,
      expiresAt
    })
  })
