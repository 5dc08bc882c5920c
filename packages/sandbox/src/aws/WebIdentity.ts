/**
 * Whether the account believes a foreign assertion: that of an OpenID provider which IAM lists, by the keys that the
 * issuer publishes.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
import { Assertion } from "@federate/core"
import type { FederationError } from "@federate/core"
import type { VerificationError } from "@federate/oidc"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { IssuerKeys } from "../issuer/IssuerKeys.ts"
import * as History from "../kernel/History.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import { oidcProviderArn } from "./Account.ts"
import type { Account } from "./Account.ts"
import { AwsError } from "./AwsError.ts"

/** What a believed assertion says. */
export interface WebIdentity {
  readonly issuer: string
  /** Whom trust policies name as `Federated`. */
  readonly principal: string
  /** What trust policies' condition keys begin with. */
  readonly prefix: string
  readonly subject: string
  /** Whom AWS takes it to be for: `azp`, where it has one. */
  readonly audience: string
  readonly claims: Readonly<Record<string, unknown>>
}

export interface WebIdentities {
  readonly account: Account
  readonly keys: IssuerKeys
  /** Cognito's issuer, which AWS trusts by itself. */
  readonly cognito: string
}

export const cognitoPrincipal = "cognito-identity.amazonaws.com"

const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]

/**
 * @param now epoch milliseconds, on AWS's clock
 */
export const verify = Effect.fnUntraced(function* (
  { account, cognito, keys }: WebIdentities,
  token: Redacted.Redacted,
  now: number
): Effect.fn.Return<WebIdentity, AwsError> {
  const read = yield* Effect.mapError(
    Effect.fromResult(Assertion.fromJwt(token, { obtainedAt: now })),
    () => notJwt
  )
  const { audience, claims, issuer, subject } = read
  for (const name of ["iss", "sub", "aud", "exp", "iat"]) {
    if (claims[name] === undefined) return yield* invalid(`Missing a required claim: ${name}`)
  }
  if (issuer === undefined || subject === undefined) return yield* notJwt
  const { exp, iat } = claims
  if (!Number.isInteger(exp) || !Number.isInteger(iat)) return yield* notJwt
  const prefix = issuer === cognito ? cognitoPrincipal : issuer.replace(/^https:\/\//, "")
  const provider = account.oidcProviders.get(oidcProviderArn(account, prefix))
  const clientIds = provider && History.seen(provider.clientIds, account.seenUntil(now))
  // Its own tokens are for other partitions.
  if (issuer === account.outbound?.issuer || (clientIds === undefined && issuer !== cognito)) {
    return yield* invalid(`No OpenIDConnect provider found in your account for ${issuer}`)
  }
  yield* keys
    .verify(issuer, token, { algorithms, issuer, now })
    .pipe(Effect.mapError((error) => complaint(error, exp, now)))
  const { azp } = claims
  const audiences = typeof azp === "string" ? [azp] : audience
  const taken =
    clientIds === undefined ? audiences[0] : audiences.find((each) => clientIds.has(each))
  if (taken === undefined) return yield* invalid("Incorrect token audience")
  return {
    issuer,
    principal: provider?.arn ?? cognitoPrincipal,
    prefix,
    subject,
    audience: taken,
    claims
  }
})

const invalid = (message: string) => new AwsError({ code: "InvalidIdentityToken", message })

const notJwt = invalid(
  "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
)

const noKey = invalid(
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
)

const complaint = (
  error: VerificationError | FederationError,
  exp: unknown,
  now: number
): AwsError => {
  if (error._tag === "FederationError") {
    return error.reason._tag === "Transient"
      ? new AwsError({
          code: "IDPCommunicationError",
          message: "An error occurred while communicating with the identity provider."
        })
      : noKey
  }
  switch (error.check) {
    case "key":
      return noKey
    case "signature":
      return invalid("The signature of the ID Token is not valid")
    case "time":
      return typeof exp === "number" && exp * 1000 <= now
        ? new AwsError({
            code: "ExpiredTokenException",
            modelled: true,
            message: `Token expired: current date/time ${seconds(now)} must be before the expiration date/time${exp}`
          })
        : invalid("The ID Token is not valid yet")
    default:
      return notJwt
  }
}
