/**
 * Logins at public providers: the OpenID providers of IAM that a pool lists, by their own tokens.
 *
 * https://docs.aws.amazon.com/cognito/latest/developerguide/open-id.html
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { oidcProviderArn } from "../aws/Account.ts"
import { AwsError } from "../aws/AwsError.ts"
import * as WebIdentity from "../aws/WebIdentity.ts"
import type { IdentityPool } from "./IdentityPools.ts"

/** Who logged in: one for each login, as a token's `amr` names it. */
export type PublicLogins = ReadonlyArray<{ readonly provider: string; readonly name: string }>

/**
 * Verifies them all.
 *
 * @param logins tokens by the provider: its issuer without the scheme
 * @param now epoch milliseconds, on Cognito's clock
 */
export const verify = (
  identities: WebIdentity.WebIdentities,
  pool: IdentityPool,
  logins: Readonly<Record<string, string>>,
  now: number
): Effect.Effect<PublicLogins, AwsError> =>
  Effect.forEach(
    Object.entries(logins),
    Effect.fnUntraced(function* ([provider, token]) {
      if (provider === pool.settings.DeveloperProviderName) return yield* otherIssuer
      const { OpenIdConnectProviderARNs: listed = [] } = pool.settings
      if (!listed.includes(oidcProviderArn(identities.account, provider))) {
        return yield* notAuthorized("Token is not from a supported provider of this identity pool.")
      }
      const { prefix, subject } = yield* Effect.mapError(
        WebIdentity.verify(identities, Redacted.make(token), now),
        ({ code }) =>
          notAuthorized(
            code === "ExpiredTokenException"
              ? "Invalid login token. Token is expired."
              : "Invalid login token."
          )
      )
      return prefix === provider
        ? { provider, name: `${provider}:OIDC:${subject}` }
        : yield* otherIssuer
    })
  )

export const notAuthorized = (message: string): AwsError =>
  new AwsError({ code: "NotAuthorizedException", message })

const otherIssuer = notAuthorized("Invalid login token. Issuer doesn't match providerName")
