/** Google Cloud as a token exchanger: access tokens of the federated principal, or of a service account. */
import { configured, Credential, Malformed, TokenExchanger } from "@federate/core"
import type { AccessToken, FederationError, Reason } from "@federate/core"
import { json } from "@federate/http"
import type { HttpAnswer } from "@federate/http"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { cloudPlatform, federation } from "./federation.ts"
import { impersonate } from "./impersonation.ts"
import { checkScopes, impersonationOf, misconfigured, secondsOf } from "./settings.ts"
import type { Federation, Impersonation } from "./settings.ts"

export interface Options extends Federation, Pick<Impersonation, "delegates"> {
  /** The e-mail of the service account to act as. Without it the tokens are the federated principal's own. */
  readonly serviceAccount?: string | undefined
  /** What a request without scopes of its own asks for. Default `https://www.googleapis.com/auth/cloud-platform`. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** How long the service account's tokens live: 1 s to 12 h, in whole seconds. Default: Google's own, an hour. */
  readonly lifetime?: Duration.Input | undefined
}

const name = "google"

/**
 * Workload identity federation
 * (https://cloud.google.com/iam/docs/workload-identity-federation): the assertion is traded at Google's STS (RFC 8693)
 * for a token of the federated principal, which most of Google's APIs take as it is; with a `serviceAccount` that token
 * is used once, to get one of the account's. Settings that cannot work are `Misconfigured`, before any call.
 */
export const exchanger = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const federated = yield* federation(name, options)
  const { account, standard } = yield* configured(name, settings(options))
  return TokenExchanger.make({
    name,
    asks: federated.asks,
    exchange: Effect.fnUntraced(function* (assertion, request): Effect.fn.Return<
      AccessToken,
      Reason
    > {
      const asked = yield* Effect.fromResult(checkScopes(request.scopes ?? []))
      const scopes = asked.length === 0 ? standard : asked
      if (account === undefined) return yield* federated.trade(assertion, scopes)
      const { serviceAccount, ...body } = account
      const answer = yield* impersonate(federated, assertion, {
        method: "generateAccessToken",
        serviceAccount,
        body: { scope: scopes, ...body },
        scopes
      })
      return yield* Effect.fromResult(readAccessToken(answer, scopes))
    })
  })
})

const settings = (options: Options) =>
  Result.gen(function* () {
    const { delegates, lifetime, scopes = [cloudPlatform], serviceAccount } = options
    const standard = yield* checkScopes(scopes)
    if (standard.length === 0) {
      return yield* misconfigured(
        "scopes",
        "is an empty list",
        `Leave it out: ${cloudPlatform} is asked for then.`
      )
    }
    if (serviceAccount === undefined) {
      const idle = Object.entries({ delegates, lifetime }).find(([, value]) => value !== undefined)
      return idle === undefined
        ? { standard, account: undefined }
        : yield* misconfigured(
            idle[0],
            "is for a service account, and none is named",
            "Name a `serviceAccount`, or leave it out: a federated token's life is Google's choice."
          )
    }
    const seconds = yield* secondsOf(lifetime)
    return {
      standard,
      account: {
        ...(yield* impersonationOf({ delegates, serviceAccount })),
        ...(seconds !== undefined && { lifetime: `${seconds}s` })
      }
    }
  })

/** `expireTime` is a time on their clock: the answer's `Date` makes it a duration. */
const readAccessToken = (
  answer: HttpAnswer,
  scopes: ReadonlyArray<string>
): Result.Result<AccessToken, Malformed> => {
  const { accessToken: token, expireTime } = json(answer) ?? {}
  if (typeof token !== "string" || token === "") return malformed("accessToken is absent")
  const left =
    (typeof expireTime === "string" ? Date.parse(expireTime) : Number.NaN) - answer.serverTime
  if (!(left > 0)) return malformed("expireTime is absent, unreadable or past")
  return Result.succeed(
    Credential.accessToken({
      token: Redacted.make(token),
      tokenType: "Bearer",
      obtainedAt: answer.sentAt,
      expiresAt: answer.sentAt + left,
      scopes
    })
  )
}

const malformed = (detail: string) =>
  Result.fail(new Malformed({ detail: `The answer of generateAccessToken is unusable: ${detail}` }))
