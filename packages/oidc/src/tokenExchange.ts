/** Token exchange (RFC 8693) at any server. */
import { configured, Malformed } from "@federate/core"
import type {
  AccessToken,
  AssertionSource,
  FederationError,
  Reason,
  TokenExchanger
} from "@federate/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { exchanger } from "./exchange.ts"
import type { ExchangeOptions } from "./exchange.ts"
import type { Writing } from "./grant.ts"
import { exchangingServices } from "./services.ts"
import { misconfigured } from "./settings.ts"

export interface TokenExchangeOptions extends ExchangeOptions<keyof typeof exchangingServices> {
  /** What the token is for, by names that the server knows; a request's own goes before it. */
  readonly audience?: ReadonlyArray<string> | undefined
  /** What the assertion is: a name of RFC 8693 §3 (`id_token`), or a URI. Default `jwt`. */
  readonly subjectTokenType?: string | undefined
  /** What is wanted for it. Default: the server's choice. */
  readonly requestedTokenType?: string | undefined
  /** Who acts, where the assertion is about whom he acts for. */
  readonly actor?: AssertionSource.AssertionSource | undefined
  /** As `subjectTokenType`. */
  readonly actorTokenType?: string | undefined
}

const prefix = "urn:ietf:params:oauth:token-type:"

/** RFC 8693 §3. */
const short = ["access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"]

/**
 * Makes the exchanger. Settings that cannot work are `Misconfigured`, before any call. What comes back must be of the
 * type that was asked for, and say so (§2.2.1).
 */
export const tokenExchange = Effect.fnUntraced(function* (
  options: TokenExchangeOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const { actor, audience = [] } = options
  const name = options.service ?? "token-exchange"
  const { actorType, requested, subjectType } = yield* configured(name, types(options))
  return yield* exchanger(
    {
      name,
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      services: exchangingServices,
      parameters: Effect.fnUntraced(function* ({ token }, request, asks) {
        const audiences = request.audience === undefined ? audience : [request.audience]
        const parameters: Array<readonly [string, string]> = [
          ["subject_token", Redacted.value(token)],
          ["subject_token_type", subjectType],
          ...audiences.map((each) => ["audience", each] as const)
        ]
        if (requested !== undefined) parameters.push(["requested_token_type", requested])
        if (actor !== undefined) {
          const acting = yield* Effect.mapError(actor.assertion(asks), ({ reason }) => reason)
          parameters.push(
            ["actor_token", Redacted.value(acting.token)],
            ["actor_token_type", actorType]
          )
        }
        return parameters
      }),
      check: (credential, writing) => wrongType(credential, requested, writing)
    },
    options
  )
})

const wrongType = (
  { issuedTokenType: issued }: AccessToken,
  requested: string | undefined,
  { body }: Writing
): Reason | undefined => {
  if (issued === undefined) {
    // RFC 8693 speaks of forms; a service with a dialect of its own may leave it out.
    return body === "json"
      ? undefined
      : new Malformed({
          detail: "The answer has no issued_token_type, which RFC 8693 §2.2.1 wants"
        })
  }
  return requested === undefined || issued === requested
    ? undefined
    : new Malformed({ detail: `The server issued another type of token than ${requested}` })
}

const types = ({
  actor,
  actorTokenType,
  requestedTokenType,
  subjectTokenType = "jwt"
}: TokenExchangeOptions) =>
  Result.gen(function* () {
    if (actorTokenType !== undefined && actor === undefined) {
      return yield* misconfigured(
        "actorTokenType",
        "is set, and there is no actor",
        "Set both or neither (RFC 8693 §2.1)."
      )
    }
    return {
      subjectType: yield* typeOf("subjectTokenType", subjectTokenType),
      actorType: yield* typeOf("actorTokenType", actorTokenType ?? "jwt"),
      requested:
        requestedTokenType === undefined
          ? undefined
          : yield* typeOf("requestedTokenType", requestedTokenType)
    }
  })

const typeOf = (setting: string, type: string) => {
  if (short.includes(type)) return Result.succeed(`${prefix}${type}`)
  return URL.canParse(type)
    ? Result.succeed(type)
    : misconfigured(
        setting,
        `"${type}" is no token type`,
        `Write one of ${short.join(", ")}, or a URI.`
      )
}
