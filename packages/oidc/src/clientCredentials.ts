/**
 * Client credentials with a foreign assertion (RFC 6749 §4.4, RFC 7523 §2.2): the platform's JWT, unmodified, is the
 * client's authentication, and the server maps its issuer, subject and audience to the client.
 */
import { configured, TokenExchanger } from "@federate/core"
import type {
  Assertion,
  AssertionSource,
  FederationError,
  Reason,
  TokenRequest
} from "@federate/core"
import { endpoint } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import { byAssertion } from "./client.ts"
import { grant } from "./grant.ts"
import { refusal } from "./tokenAnswer.ts"
import type { Refusal } from "./tokenAnswer.ts"

export interface ClientCredentialsOptions {
  /** Stands in errors, spans and on status pages. */
  readonly name: string
  readonly issuer: string
  /** https, or http on loopback. */
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly asks?: AssertionSource.AssertionRequest
  /** The parameters that a request comes to, besides the client's authentication: `scope` and whatever else. */
  readonly parameters: (
    request: TokenRequest.TokenRequest
  ) => Result.Result<Readonly<Record<string, string>>, Reason>
  /** What an error answer means with this server. Default: as RFC 6749 §5.2 has it. */
  readonly refused?: (
    refusal: Refusal,
    assertion: Assertion.Assertion,
    parameters: Readonly<Record<string, string>>
  ) => Reason
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

/** Makes the exchanger. A token endpoint to which no secret may be sent is `Misconfigured`. */
export const clientCredentials = Effect.fnUntraced(function* (
  options: ClientCredentialsOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const { asks, clientId, fetch, issuer, name, refused = refusal, tokenEndpoint } = options
  yield* configured(name, endpoint("tokenEndpoint", tokenEndpoint))
  return TokenExchanger.make({
    name,
    ...(asks !== undefined && { asks }),
    exchange: Effect.fnUntraced(function* (assertion, request) {
      const parameters = yield* Effect.fromResult(options.parameters(request))
      return yield* grant({
        issuer,
        tokenEndpoint,
        clientId,
        authenticate: byAssertion(clientId, assertion.token),
        grantType: "client_credentials",
        parameters: new URLSearchParams(parameters),
        refused: (answer) => refused(answer, assertion, parameters),
        fetch
      })
    })
  })
})
