/** A programmable issuer and a programmable relying party, with counts of what they were asked. */
import {
  Assertion,
  AssertionSource,
  Credential,
  FederationError,
  type Reason,
  Rejected,
  TokenExchanger,
  TokenRequest,
  Transient
} from "@federate/core"
import { Clock, Effect, Redacted, Result } from "effect"
import { Base64Url } from "effect/encoding"

export const jwt = (
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = { alg: "RS256", typ: "JWT" }
): string =>
  [JSON.stringify(header), JSON.stringify(claims), "signature"]
    .map((part) => Base64Url.encode(part))
    .join(".")

export const assertionOf = (
  claims: Record<string, unknown>,
  options: Assertion.FromJwtOptions
): Assertion.Assertion => Result.getOrThrow(Assertion.fromJwt(Redacted.make(jwt(claims)), options))

export const sourceError = (reason: Reason): FederationError =>
  new FederationError({ adapter: "issuer", stage: "assertion", reason })

export const exchangeError = (reason: Reason): FederationError =>
  new FederationError({ adapter: "party", stage: "exchange", reason })

export const refused = (remedy: Rejected["remedy"] = "none"): FederationError =>
  exchangeError(
    new Rejected({
      code: "no",
      status: 401,
      description: "It said no",
      hint: "Ask nicely.",
      remedy
    })
  )

export const down = (retryAt?: number): FederationError =>
  exchangeError(
    new Transient({ detail: "It is down", status: 503, ...(retryAt !== undefined && { retryAt }) })
  )

/** Mints assertions that live `life` ms, each with its own `jti`. */
export const issuer = (
  options: {
    readonly life?: number
    readonly offers?: AssertionSource.AssertionOffer
    /** What happens instead of, or before, the n-th call (from 1). */
    readonly on?: (call: number) => Effect.Effect<void, FederationError>
  } = {}
) => {
  const requests: Array<AssertionSource.AssertionRequest> = []
  const source: AssertionSource.AssertionSource = {
    name: "issuer",
    offers: options.offers ?? {},
    assertion: Effect.fnUntraced(function* (request) {
      const call = requests.push(request)
      const obtainedAt = yield* Clock.currentTimeMillis
      yield* options.on?.(call) ?? Effect.void
      const iat = Math.floor(obtainedAt / 1000)
      return assertionOf(
        {
          iss: "https://issuer",
          sub: "workload",
          aud: request.audience ?? "party",
          iat,
          exp: iat + (options.life ?? 900_000) / 1000,
          jti: call
        },
        { obtainedAt, issuerTime: "iat" }
      )
    })
  }
  return { source, requests }
}

/** Trades any assertion for `token-1`, `token-2`, … which live `life` ms. */
export const party = (
  options: {
    readonly life?: number | ((call: number) => number)
    readonly refreshIn?: number
    readonly asks?: AssertionSource.AssertionRequest
    readonly on?: (
      call: number,
      assertion: Assertion.Assertion
    ) => Effect.Effect<void, FederationError>
  } = {}
) => {
  const calls: Array<{
    readonly assertion: Assertion.Assertion
    readonly request: TokenRequest.TokenRequest
  }> = []
  const exchanger: TokenExchanger.TokenExchanger = {
    name: "party",
    asks: options.asks ?? {},
    exchange: Effect.fnUntraced(function* (assertion, request) {
      const call = calls.push({ assertion, request })
      const obtainedAt = yield* Clock.currentTimeMillis
      yield* options.on?.(call, assertion) ?? Effect.void
      const life =
        typeof options.life === "function" ? options.life(call) : (options.life ?? 3_600_000)
      return Credential.accessToken({
        token: Redacted.make(`token-${call}`),
        tokenType: "Bearer",
        obtainedAt,
        expiresAt: obtainedAt + life,
        ...(options.refreshIn !== undefined && { refreshAt: obtainedAt + options.refreshIn })
      })
    })
  }
  return { exchanger, calls }
}

export const text = (credential: Credential.AccessToken): string => Redacted.value(credential.token)
