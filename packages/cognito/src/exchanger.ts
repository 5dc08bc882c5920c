/** Amazon Cognito identity pools as a token exchanger: one of their own tokens for AWS credentials. */
import { configured, Misconfigured, TokenExchanger } from "@federate/core"
import type { AwsCredentials, FederationError, Reason } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import { credentialsOf } from "./credentials.ts"
import { checkedPool, providerOf } from "./pool.ts"

export interface ExchangerOptions {
  /** `REGION:GUID`: the pool that the token is of, and whose roles the credentials are for. */
  readonly identityPoolId: string
  /** One of several roles that the pool's rules allow. */
  readonly customRoleArn?: string | undefined
  /** Instead of AWS's own; without it the SDK also heeds `AWS_ENDPOINT_URL_COGNITO_IDENTITY`. */
  readonly endpoint?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

const name = "cognito credentials"

/**
 * The enhanced flow's last step, `GetCredentialsForIdentity`
 * (https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html): a token of the
 * pool's own, such as a developer identity's, for temporary credentials of the pool's role. It is not signed; the token
 * is all the authority there is.
 */
export const exchanger = Effect.fnUntraced(function* (
  options: ExchangerOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger<AwsCredentials>, FederationError> {
  const { identityPoolId } = options
  const region = yield* configured(name, checkedPool(options))
  const client = yield* makeClient({ ...options, region })
  const provider = providerOf(region)
  return TokenExchanger.make({
    name,
    asks: { audience: identityPoolId },
    exchange: Effect.fnUntraced(function* ({
      subject,
      token
    }): Effect.fn.Return<AwsCredentials, Reason> {
      if (subject === undefined || !subject.startsWith(`${region}:`)) {
        return yield* Effect.fail(stranger(subject, identityPoolId))
      }
      return yield* credentialsOf(
        client,
        {
          IdentityId: subject,
          Logins: { [provider]: Redacted.value(token) },
          CustomRoleArn: options.customRoleArn
        },
        (answer) => classify(answer, { identityPoolId, region, provider }, hints)
      )
    })
  })
})

const stranger = (subject = "", identityPoolId: string): Misconfigured =>
  new Misconfigured({
    setting: "source",
    problem: `its assertions are about "${subject}", which is no identity of the pool ${identityPoolId}`,
    hint: "This exchanger takes the pool's own tokens; `cognito-login` takes those of the issuers that it knows."
  })

/** Nobody signs this call: what it is not authorized for is a matter of the token. */
const hints = {
  NotAuthorizedException:
    "The token is not one of the pool {identityPoolId}'s, has ended, or the pool lets no such login in: trade a fresh one of this very pool. With `customRoleArn`, the pool's rules must allow that role to this login.",
  AccessDeniedException:
    "The role of the pool {identityPoolId} does not let this identity in: its trust policy must name the pool as {provider}:aud."
}
