/** The act of trading an assertion for a credential: Entra, Google STS, AWS STS, any RFC 8693 server. */
import * as Effect from "effect/Effect"
import type { Assertion } from "./Assertion.ts"
import type { AssertionRequest } from "./AssertionSource.ts"
import { accessToken } from "./Credential.ts"
import type { AccessToken, Credential } from "./Credential.ts"
import { FederationError, Malformed } from "./FederationError.ts"
import type { TokenRequest } from "./TokenRequest.ts"

/** Trades an assertion for a credential of the relying party. */
export interface TokenExchanger<out C extends Credential = AccessToken> {
  /** Public: it stands in errors, spans and on status pages. */
  readonly name: string
  /** What the source is asked for, held against its offer when the flow is made. */
  readonly asks: AssertionRequest
  readonly exchange: (
    assertion: Assertion,
    request: TokenRequest
  ) => Effect.Effect<C, FederationError>
}

/**
 * No exchange: the assertion itself is the credential, as RFC 8693 §2.2.1's `N_A`. It has no relying party of its
 * own, so a flow that passes through asks the source for the audience of the request.
 */
export const passThrough: TokenExchanger = {
  name: "pass-through",
  asks: {},
  exchange: Effect.fnUntraced(function* (assertion) {
    if (assertion.expiresAt === undefined) {
      return yield* new FederationError({
        adapter: passThrough.name,
        stage: "exchange",
        reason: new Malformed({
          detail: "The assertion has no exp, so nobody could tell when it ends"
        })
      })
    }
    return accessToken({
      token: assertion.token,
      tokenType: "N_A",
      issuedTokenType: "urn:ietf:params:oauth:token-type:jwt",
      obtainedAt: assertion.obtainedAt,
      expiresAt: assertion.expiresAt
    })
  })
}
