/** Microsoft Entra ID on behalf of a user: the user's token for this app, traded for one of another API's. */
import { AssertionSource, FederationError, Rejected, TokenExchanger } from "@federate/core"
import type { Assertion, TokenRequest } from "@federate/core"
import { byAssertion, grant } from "@federate/oidc"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { application, misconfigured } from "./application.ts"
import type { ApplicationOptions } from "./application.ts"
import { claimsParameter } from "./claims.ts"
import { classify } from "./classify.ts"

export interface OnBehalfOfOptions extends ApplicationOptions {
  /** Whose assertion authenticates the app, in the place of a secret. */
  readonly client: AssertionSource.AssertionSource
  /** What a request without scopes of its own asks for: permissions of one resource, or its `/.default`. */
  readonly scopes?: ReadonlyArray<string> | undefined
}

/**
 * The on-behalf-of flow (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow): what is traded
 * is the user's access token, so a flow over it belongs to that one user, as do its credentials; each user's token has a
 * flow of its own. What authenticates the app is asked of `client`, and is everybody's.
 *
 * A refusal that only the user can cure holds the `claims` to hand to the user's client. Settings and a `client` that
 * cannot work are `Misconfigured`, before any call.
 *
 * @example
 * ```ts
 * const exchanger = yield* onBehalfOf({ tenantId, clientId, client: workload, scopes })
 * const flow = yield* Flow.make({ source: AssertionSource.fixed(userToken, "user"), exchanger })
 * ```
 */
export const onBehalfOf = Effect.fnUntraced(function* (
  options: OnBehalfOfOptions
): Effect.fn.Return<TokenExchanger.TokenExchanger, FederationError> {
  const { client, clientCapabilities, fetch } = options
  const app = yield* application(name, options)
  const { asks, clientId, issuer, tokenEndpoint } = app
  const impossible = AssertionSource.refusal(client, { name, asks })
  if (impossible !== undefined) return yield* impossible

  const trade = Effect.fnUntraced(function* (
    user: Assertion.Assertion,
    { claims, scopes = options.scopes ?? [] }: TokenRequest.TokenRequest,
    proof: Assertion.Assertion
  ) {
    const scope = yield* Effect.fromResult(permissions(scopes))
    return yield* grant({
      issuer,
      tokenEndpoint,
      clientId,
      authenticate: byAssertion(clientId, proof.token),
      grantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      parameters: new URLSearchParams({
        assertion: Redacted.value(user.token),
        requested_token_use: "on_behalf_of",
        scope,
        ...(yield* Effect.fromResult(claimsParameter(claims, clientCapabilities)))
      }),
      refused: (answer) => classify(answer, proof, { ...app, scope }, user),
      fetch
    })
  })

  return {
    name,
    asks: {},
    exchange: Effect.fnUntraced(function* (user, request) {
      const traded = (proof: Assertion.Assertion) =>
        Effect.mapError(
          trade(user, request, proof),
          (reason) => new FederationError({ adapter: name, stage: "exchange", reason })
        )
      const proof = yield* client.assertion(asks)
      return yield* traded(proof).pipe(
        Effect.catchIf(isStale, () =>
          Effect.flatMap(client.assertion({ ...asks, rejected: proof }), traded)
        ),
        Effect.mapError((error) => (isStale(error) ? final(error) : error))
      )
    })
  }
})

const name = "entra-on-behalf-of"

/** The app's own assertion was out of its time. */
const isStale = (
  error: FederationError
): error is FederationError & { readonly reason: Rejected } =>
  error.reason._tag === "Rejected" && error.reason.remedy === "freshAssertion"

/** To a flow its assertion is the user's, of which there is no other. */
const final = ({
  adapter,
  reason,
  stage
}: FederationError & { readonly reason: Rejected }): FederationError =>
  new FederationError({ adapter, stage, reason: new Rejected({ ...reason, remedy: "none" }) })

const permissions = (scopes: ReadonlyArray<string>) =>
  scopes.length > 0 && scopes.every((scope) => /^[!#-[\]-~]+$/.test(scope))
    ? Result.succeed([...new Set(scopes)].join(" "))
    : misconfigured(
        "scopes",
        scopes.length === 0
          ? "no scope is asked for, and the exchanger has no default"
          : "one of the scopes is none (RFC 6749 §3.3)",
        "Name what the user is to be served with, such as https://graph.microsoft.com/User.Read."
      )
