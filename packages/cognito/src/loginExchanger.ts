/** Amazon Cognito identity pools as a token exchanger for who has logged in elsewhere: the assertion is the login. */
import { configured, TokenExchanger } from "@federate/core"
import type { AwsCredentials, FederationError, Reason } from "@federate/core"
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import { credentialsOf } from "./credentials.ts"
import type { ExchangerOptions } from "./exchanger.ts"
import { identityOf, loginHints, loginOf } from "./login.ts"
import { checkedPool, providerOf } from "./pool.ts"

export interface LoginExchangerOptions extends ExchangerOptions {
  /** The assertion's audience, where it must be that one. Without it a source that can choose takes `cognito-identity.amazonaws.com`. */
  readonly audience?: string | undefined
  /** The identity: pinned, and not asked for first. */
  readonly identityId?: string | undefined
}

const name = "cognito login credentials"

/**
 * Public logins, in the enhanced flow: `GetId`, then `GetCredentialsForIdentity`
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html), both unsigned. The pool must have
 * the assertion's issuer as an OpenID provider, and a role for who has logged in; nothing else has to be activated.
 */
export const loginExchanger = Effect.fnUntraced(function* (
  options: LoginExchangerOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger<AwsCredentials>, FederationError> {
  const { audience, customRoleArn, identityId, identityPoolId } = options
  const region = yield* configured(name, checkedPool(options))
  const cognito = providerOf(region)
  const client = yield* makeClient({ ...options, region })
  return TokenExchanger.make({
    name,
    asks: {
      ...(audience !== undefined && { audience }),
      preferredAudience: cognito
    },
    exchange: Effect.fnUntraced(function* (given): Effect.fn.Return<AwsCredentials, Reason> {
      const login = yield* Effect.fromResult(loginOf(given))
      const { Logins, provider } = login
      const refused = (answer: HttpAnswer) =>
        classify(
          answer,
          { identityPoolId, region, provider, cognito, audience: given.audience.join(", ") },
          hints
        )
      const IdentityId = identityId ?? (yield* identityOf(client, identityPoolId, login, refused))
      return yield* credentialsOf(
        client,
        { IdentityId, Logins, CustomRoleArn: customRoleArn },
        refused
      )
    })
  })
})

const hints = {
  ...loginHints,
  AccessDeniedException:
    "The role of the pool {identityPoolId} does not let this identity in: its trust policy must name the pool as {cognito}:aud."
}
