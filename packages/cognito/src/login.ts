/** Another issuer's assertion as a login to an identity pool: unsigned calls, of which it is all the authority. */
import { Malformed } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { CognitoClient } from "./client.ts"

/** Who logs in, as the pool knows it. */
export interface Login {
  /** The issuer, without `https://`. */
  readonly provider: string
  readonly Logins: Readonly<Record<string, string>>
}

export const loginOf = ({
  issuer,
  token
}: Assertion.Assertion): Result.Result<Login, Malformed> => {
  const provider = issuer?.replace(/^https:\/\//, "")
  return provider === undefined
    ? Result.fail(new Malformed({ detail: "The login's assertion names no issuer" }))
    : Result.succeed({ provider, Logins: { [provider]: Redacted.value(token) } })
}

/** Whose login it is (`GetId`), which the pool makes at the first time. */
export const identityOf = Effect.fnUntraced(function* (
  client: CognitoClient,
  identityPoolId: string,
  { Logins }: Login,
  refused: (answer: HttpAnswer) => Reason
): Effect.fn.Return<string, Reason> {
  const { answer, output } = yield* client.call(({ client: cognito, sdk }, signal) =>
    cognito.send(new sdk.GetIdCommand({ IdentityPoolId: identityPoolId, Logins }), {
      abortSignal: signal
    })
  )
  return output?.IdentityId ?? (yield* Effect.fail(refused(answer)))
})

/** Nobody signs these calls: what they are not authorized for is a matter of the login. */
export const loginHints = {
  NotAuthorizedException:
    "The pool {identityPoolId} must have {provider} among its identity providers (OpenIdConnectProviderARNs), as `aws cognito-identity describe-identity-pool --identity-pool-id {identityPoolId}` shows; the OpenID provider in IAM must list the login's audience, {audience}; and the login must not have ended.",
  InvalidParameterException:
    "The pool {identityPoolId} cannot read the login of {provider}: compare its issuer with the OpenID provider in IAM, letter by letter.",
  ResourceConflictException:
    "The login of {provider} is linked to another identity: leave `identityId` out."
}
