/**
 * Client credentials with a foreign assertion (RFC 6749 §4.4, RFC 7523 §2.2): the platform's JWT, unmodified, is the
 * client's authentication, and the server maps its issuer, subject and audience to the client.
 */
import { FederationError, Malformed, TokenExchanger } from "@federate/core"
import type { AccessToken, Assertion, AssertionSource, Reason, TokenRequest } from "@federate/core"
import { endpoint, exchange, isLoopback, platformFetch } from "@federate/http"
import type { Fault, Fetch, HttpAnswer } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as OpenId from "openid-client"
import { read, refusal } from "./tokenAnswer.ts"
import type { Refusal } from "./tokenAnswer.ts"

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

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
  const { asks, name, refused = refusal, tokenEndpoint } = options
  yield* Effect.mapError(
    Effect.fromResult(endpoint("tokenEndpoint", tokenEndpoint)),
    (reason) => new FederationError({ adapter: name, stage: "configuration", reason })
  )
  return TokenExchanger.make({
    name,
    ...(asks !== undefined && { asks }),
    exchange: Effect.fnUntraced(function* (assertion, request): Effect.fn.Return<
      AccessToken,
      Reason
    > {
      const parameters = yield* Effect.fromResult(options.parameters(request))
      const clock = yield* Clock.Clock
      const outcome = yield* Effect.promise((signal) =>
        grant(options, { ...parameters, ...authentication(assertion) }, signal, () =>
          clock.currentTimeMillisUnsafe()
        )
      )
      const answer = yield* Effect.fromResult(outcome.answer)
      const credential = yield* Effect.fromResult(
        read(answer, parameters["scope"], (answered) => refused(answered, assertion, parameters))
      )
      if (outcome.conforms) return credential
      return yield* Effect.fail(
        new Malformed({ detail: "The token endpoint's answer is not what RFC 6749 §5.1 says" })
      )
    })
  })
})

const authentication = ({ token }: Assertion.Assertion) => ({
  client_assertion_type: assertionType,
  client_assertion: Redacted.value(token)
})

interface Outcome {
  readonly answer: Result.Result<HttpAnswer, Fault>
  /** Whether the OAuth library takes it for a success. */
  readonly conforms: boolean
}

/** The grant itself by openid-client, over the guarded fetch. Its errors hold bodies: none leaves this function. */
const grant = async (
  { clientId, fetch = platformFetch, issuer, tokenEndpoint }: ClientCredentialsOptions,
  parameters: Record<string, string>,
  signal: AbortSignal,
  now: () => number
): Promise<Outcome> => {
  let answer: Result.Result<HttpAnswer, Fault> | undefined
  // One for each call: a grant takes no signal, its configuration's fetch does.
  const config = new OpenId.Configuration(
    { issuer, token_endpoint: tokenEndpoint },
    clientId,
    undefined,
    OpenId.None()
  )
  // Its own timer would be a real one, beside the flow's clock.
  config.timeout = 0
  if (isLoopback(new URL(tokenEndpoint).hostname)) OpenId.allowInsecureRequests(config)
  config[OpenId.customFetch] = async (url, { body, headers, method }) => {
    answer = await exchange(fetch, url, { body: String(body), headers, method, signal }, now)
    if (Result.isFailure(answer)) return Response.error()
    return new Response(answer.success.body, answer.success)
  }
  const conforms = await OpenId.clientCredentialsGrant(config, parameters).then(
    () => true,
    () => false
  )
  return {
    answer: answer ?? Result.fail(new Malformed({ detail: "The token request could not be made" })),
    conforms
  }
}
