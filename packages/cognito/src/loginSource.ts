/** Amazon Cognito identity pools as an assertion source for who has logged in elsewhere, by another source's assertion. */
import { Assertion, AssertionSource, FederationError } from "@federate/core"
import type { Reason } from "@federate/core"
import type { Fetch, HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import { identityOf, loginHints, loginOf } from "./login.ts"
import { checkedPool, misconfigured, otherAudience, otherIdentity, providerOf } from "./pool.ts"

export interface LoginOptions {
  /** `REGION:GUID`. It is the assertion's audience, the only one that Cognito can give. */
  readonly identityPoolId: string
  /** Whose assertions log in: its issuer is one of the pool's identity providers. */
  readonly login: AssertionSource.AssertionSource
  /**
   * The login's audience, where it must be that one. Without it a source that can choose takes
   * `cognito-identity.amazonaws.com`, and a source that cannot gives what it has.
   */
  readonly audience?: string | undefined
  /** The identity, which is the assertion's subject: pinned, and not asked for first. */
  readonly identityId?: string | undefined
  /** Instead of AWS's own; without it the SDK also heeds `AWS_ENDPOINT_URL_COGNITO_IDENTITY`. */
  readonly endpoint?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

const name = "cognito login"

/**
 * Public logins, in the basic flow: `GetId`, then `GetOpenIdToken`
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html), unsigned: it needs no AWS
 * credentials, and the login is all the authority there is. The pool must have the login's issuer as an OpenID provider,
 * and the basic (classic) flow activated. The tokens live ten minutes; in all else they are as {@link source}'s.
 */
export const loginSource = Effect.fnUntraced(function* (
  options: LoginOptions
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { audience, identityId, identityPoolId, login: source } = options
  const told = (stage: "assertion" | "configuration") => (reason: Reason) =>
    new FederationError({ adapter: name, stage, reason })
  const region = yield* Effect.mapError(Effect.fromResult(checked(options)), told("configuration"))
  const client = yield* makeClient({ ...options, region })

  /** What the pool says of who logs in so. */
  const assertionOf = Effect.fnUntraced(function* (
    given: Assertion.Assertion
  ): Effect.fn.Return<Assertion.Assertion, Reason> {
    const login = yield* Effect.fromResult(loginOf(given))
    const { Logins, provider } = login
    const refused = (answer: HttpAnswer) =>
      classify(
        answer,
        { identityPoolId, region, provider, audience: given.audience.join(", ") },
        hints
      )
    const IdentityId = identityId ?? (yield* identityOf(client, identityPoolId, login, refused))
    const { answer, output } = yield* client.call(({ client: cognito, sdk }, signal) =>
      cognito.send(new sdk.GetOpenIdTokenCommand({ IdentityId, Logins }), { abortSignal: signal })
    )
    if (output?.Token === undefined) return yield* Effect.fail(refused(answer))
    if (identityId !== undefined && output.IdentityId !== identityId) {
      return yield* Effect.fail(otherIdentity(output.IdentityId, identityId))
    }
    return yield* Effect.fromResult(
      Assertion.fromJwt(Redacted.make(output.Token), {
        obtainedAt: answer.sentAt,
        issuerTime: "iat"
      })
    )
  })

  return {
    name,
    offers: { audience: { only: identityPoolId }, algorithms: ["RS512"] },
    assertion: Effect.fnUntraced(function* (request) {
      if (request.audience !== undefined && request.audience !== identityPoolId) {
        return yield* told("assertion")(otherAudience(request.audience, identityPoolId))
      }
      const given = yield* source.assertion({
        ...(audience !== undefined && { audience }),
        preferredAudience: providerOf(region)
      })
      return yield* Effect.mapError(assertionOf(given), told("assertion"))
    })
  }
})

/** What can be told to be wrong before any call; gives the pool's region. */
const checked = ({ audience, login, ...pool }: LoginOptions) =>
  Result.gen(function* () {
    const region = yield* checkedPool(pool)
    const { audience: offered } = login.offers
    return typeof offered === "object" && audience !== undefined && offered.only !== audience
      ? yield* misconfigured(
          "audience",
          `"${audience}" is demanded, and ${login.name} can only give "${offered.only}"`,
          "Leave `audience` out, and list the login's own at the OpenID provider in IAM."
        )
      : region
  })

const hints = {
  ...loginHints,
  NotAuthorizedException: `${loginHints.NotAuthorizedException} The basic (classic) flow must be activated (AllowClassicFlow).`
}
