/** Amazon Cognito identity pools as an assertion source. */
import type { CognitoIdentityClientConfig } from "@aws-sdk/client-cognito-identity"
import { Assertion, AssertionSource, configured } from "@federate/core"
import type { FederationError, Reason } from "@federate/core"
import type { Fetch } from "@federate/http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import { checkedPool, misconfigured, otherAudience, otherIdentity } from "./pool.ts"

export interface Options {
  /** `REGION:GUID`. It is the assertion's audience, the only one that Cognito can give. */
  readonly identityPoolId: string
  /**
   * Exactly one developer provider, with the workload's own user id: the same pair gives the same subject each time.
   * Logins of public providers (their tokens) may stand beside it; they are linked to the same identity.
   */
  readonly logins: Readonly<Record<string, string | Redacted.Redacted>>
  /** Pins the identity, which is the assertion's subject: another one is an error here, not a riddle at the relying party. */
  readonly identityId?: string | undefined
  /** Whole seconds, from 1 s to 24 h. Default: Cognito's own, 15 minutes. */
  readonly tokenDuration?: Duration.Input | undefined
  /** At most 50; they stand in the token under `https://aws.amazon.com/tags`. */
  readonly principalTags?: Readonly<Record<string, string>> | undefined
  /** Only to be checked: the region is the pool's. */
  readonly region?: string | undefined
  /** Instead of AWS's own; without it the SDK also heeds `AWS_ENDPOINT_URL_COGNITO_IDENTITY`. */
  readonly endpoint?: string | undefined
  /** Default: the AWS SDK's own chain (variables, profiles, SSO, container and instance roles). */
  readonly credentials?: CognitoIdentityClientConfig["credentials"] | undefined
  /** Default: the platform's. The SDK's credential chain has its own ways. */
  readonly fetch?: Fetch | undefined
}

const name = "cognito"

/**
 * Developer identities: `GetOpenIdTokenForDeveloperIdentity`
 * (https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdTokenForDeveloperIdentity.html), signed
 * with the workload's AWS credentials. The issuer is shared by every AWS customer and signs with RS512: a relying party
 * must check audience (the pool) *and* subject (the identity). Settings that cannot work are `Misconfigured`, before any
 * call; no AWS credentials at all is `Unavailable`. The SDK is loaded at the first call, and its client kept.
 */
export const source = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const settings = yield* configured(name, checked(options))
  const { developerProvider, input, region } = settings
  const { identityId = "" } = options
  const facts = {
    identityPoolId: input.IdentityPoolId,
    region,
    provider: developerProvider,
    identityId
  }
  const own = identityId === "" ? {} : pinned
  const client = yield* makeClient({ ...options, region })

  return AssertionSource.make({
    name,
    offers: { audience: { only: input.IdentityPoolId }, algorithms: ["RS512"] },
    assertion: Effect.fnUntraced(function* ({
      audience
    }): Effect.fn.Return<Assertion.Assertion, Reason> {
      if (audience !== undefined && audience !== input.IdentityPoolId) {
        return yield* Effect.fail(otherAudience(audience, input.IdentityPoolId))
      }
      const { answer, output } = yield* client.call(({ client: cognito, sdk }, signal) =>
        cognito.send(
          new sdk.GetOpenIdTokenForDeveloperIdentityCommand({
            ...input,
            Logins: revealed(options.logins)
          }),
          { abortSignal: signal }
        )
      )
      if (output?.Token === undefined) return yield* Effect.fail(classify(answer, facts, own))
      if (input.IdentityId !== undefined && output.IdentityId !== input.IdentityId) {
        return yield* Effect.fail(otherIdentity(output.IdentityId, input.IdentityId))
      }
      return yield* Effect.fromResult(
        Assertion.fromJwt(Redacted.make(output.Token), {
          obtainedAt: answer.sentAt,
          issuerTime: "iat"
        })
      )
    })
  })
})

/** With an identity that is named, it is the likelier to be missing. */
const pinned = {
  ResourceNotFoundException:
    "The pool {identityPoolId} has no identity {identityId}: leave `identityId` out, and the pool tells this login's own. (Or there is no such pool in {region} of this account.)"
}

/** What can be told to be wrong before any call, and the call's input. */
const checked = (options: Options) =>
  Result.gen(function* () {
    const { identityId, identityPoolId, principalTags } = options
    const region = yield* checkedPool(options)
    if (options.region !== undefined && options.region !== region) {
      return yield* misconfigured(
        "region",
        `is "${options.region}", and the pool ${identityPoolId} is in ${region}`,
        "Leave `region` out: the pool's id tells it."
      )
    }
    const developerProvider = yield* developerProviderOf(Object.keys(options.logins))
    const seconds = yield* secondsOf(options.tokenDuration)
    return {
      region,
      developerProvider,
      input: {
        IdentityPoolId: identityPoolId,
        ...(identityId !== undefined && { IdentityId: identityId }),
        ...(seconds !== undefined && { TokenDuration: seconds }),
        ...(principalTags !== undefined && { PrincipalTags: { ...principalTags } })
      }
    }
  })

/** Logins keys that are public providers': Facebook's, Google's, …, user pools, and any OpenID or SAML provider's ARN. */
const publicProvider =
  /^(graph\.facebook\.com|accounts\.google\.com|www\.amazon\.com|api\.twitter\.com|www\.digits\.com|appleid\.apple\.com|cognito-idp\..*|.*[/:].*)$/

export const isDeveloperProvider = (provider: string): boolean => !publicProvider.test(provider)

/** The one login that is no public provider's. */
export const developerProviderOf = (providers: ReadonlyArray<string>) => {
  const own = providers.filter(isDeveloperProvider)
  const [first] = own
  if (first !== undefined && own.length === 1) return Result.succeed(first)
  return misconfigured(
    "logins",
    own.length === 0
      ? "names no developer provider"
      : `names ${own.length} developer providers (${own.join(", ")}), and a pool has one`,
    "Write the pool's developer provider with this workload's user id: { my.dev.provider: my_user_id }."
  )
}

/** In seconds. */
const longestDuration = 86_400

const secondsOf = (duration: Duration.Input | undefined) => {
  if (duration === undefined) return Result.succeed(undefined)
  const seconds = Duration.toSeconds(Duration.fromInputUnsafe(duration))
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= longestDuration)
    return Result.succeed(seconds)
  return misconfigured(
    "tokenDuration",
    `is ${seconds} s`,
    "Whole seconds, from 1 s to 24 h; the relying party needs it for one call only, so 2 minutes are enough."
  )
}

const revealed = (logins: Options["logins"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(logins).map(([provider, login]) => [
      provider,
      Redacted.isRedacted(login) ? Redacted.value(login) : login
    ])
  )
