/** The act of trading an assertion for a credential: Entra, Google STS, AWS STS, any RFC 8693 server. */
import * as Effect from "effect/Effect"
import type { Assertion } from "./Assertion.ts"
import type { AssertionRequest } from "./AssertionSource.ts"
import { accessToken } from "./Credential.ts"
import type { AccessToken, Credential } from "./Credential.ts"
import { FederationError, Malformed } from "./FederationError.ts"
import type { Reason } from "./FederationError.ts"
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

/** Makes an exchanger of what fails with bare reasons: they are told under its name, at the stage `exchange`. */
export const make = <C extends Credential>(options: {
  readonly name: string
  /** Default: anything will do. */
  readonly asks?: AssertionRequest
  readonly exchange: (assertion: Assertion, request: TokenRequest) => Effect.Effect<C, Reason>
}): TokenExchanger<C> => {
  const { asks = {}, name } = options
  return {
    name,
    asks,
    exchange: (assertion, request) =>
      Effect.mapError(
        options.exchange(assertion, request),
        (reason) => new FederationError({ adapter: name, stage: "exchange", reason })
      )
  }
}

/**
 * No exchange: the assertion itself is the credential, as RFC 8693 §2.2.1's `N_A`. It has no relying party of its
 * own, so a flow that passes through asks the source for the audience of the request.
 */
export const passThrough: TokenExchanger = make({
  name: "pass-through",
  exchange: Effect.fnUntraced(function* ({ expiresAt, obtainedAt, token }) {
    if (expiresAt === undefined) {
      return yield* Effect.fail(
        new Malformed({ detail: "The assertion has no exp, so nobody could tell when it ends" })
      )
    }
    return accessToken({
      token,
      tokenType: "N_A",
      issuedTokenType: "urn:ietf:params:oauth:token-type:jwt",
      obtainedAt,
      expiresAt
    })
  })
})
