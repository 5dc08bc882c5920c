/** A source and an exchanger that keep the contract, small enough to be read at once, and ways to get each thing wrong. */
import {
  Assertion,
  AssertionSource,
  Credential,
  Lifetime,
  Rejected,
  TokenExchanger
} from "@federate/core"
import type { AccessToken, Reason } from "@federate/core"
import { json, overloaded, publicText, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import { Effect, Redacted, Result } from "effect"

/** What an adapter gets wrong. */
export interface Wrong {
  /** How it asks. */
  readonly fetch?: (fetch: Fetch) => Fetch
  /** What it makes of what goes wrong, and of the answer, where there was one. */
  readonly reason?: (reason: Reason, answer: HttpAnswer | undefined) => Reason
  /** What it does around its one request. */
  readonly around?: (
    request: Effect.Effect<HttpAnswer, Reason>,
    secret: string
  ) => Effect.Effect<HttpAnswer, Reason>
  /** What it makes of the token in an answer. */
  readonly jwt?: (token: string, answer: HttpAnswer) => Result.Result<Assertion.Assertion, Reason>
  /** What it makes of itself. */
  readonly source?: (source: AssertionSource.AssertionSource) => AssertionSource.AssertionSource
  readonly exchanger?: (exchanger: TokenExchanger.TokenExchanger) => TokenExchanger.TokenExchanger
}

/** What the source is trusted with. */
export const key = "THE-KEY-OF-THE-PLATFORM"
/** What the relying party hands out. */
export const token = "THE-ACCESS-TOKEN"
/** The lives of assertions and tokens, in seconds. */
export const life = 900
export const tokenLife = 3600

export const issued = (jwt: string): Response => Response.json({ jwt })

export const granted = (): Response => Response.json({ access_token: token, expires_in: tokenLife })

export const denied = (): Response =>
  Response.json({ error: "denied", message: "It said no" }, { status: 401 })

export const expired = (): Response =>
  Response.json({ error: "expired", message: "It is too old" }, { status: 401 })

const fromJwt = (jwt: string, { sentAt }: HttpAnswer) =>
  Assertion.fromJwt(Redacted.make(jwt), { obtainedAt: sentAt, issuerTime: "iat" })

const classify = (answer: HttpAnswer): Reason => {
  const { error, message } = json(answer) ?? {}
  const busy = overloaded(answer)
  if (busy !== undefined || typeof error !== "string") return busy ?? unexpected(answer)
  return new Rejected({
    code: error,
    status: answer.status,
    description: publicText(String(message)),
    hint: "Ask somebody who may.",
    remedy: error === "expired" ? "freshAssertion" : "none"
  })
}

/** One request, and what `read` finds in a good answer. */
const ask = <A>(
  fetch: Fetch,
  request: { readonly url: string; readonly body: string; readonly secret: string },
  wrong: Wrong,
  read: (body: Readonly<Record<string, unknown>>, answer: HttpAnswer) => Result.Result<A, Reason>
): Effect.Effect<A, Reason> => {
  const { around = (asking) => asking, reason = (told) => told } = wrong
  const { secret, ...rest } = request
  return around(
    send(
      { ...rest, method: "POST", headers: { authorization: `Bearer ${secret}` } },
      { fetch }
    ).pipe(Effect.mapError((told) => reason(told, undefined))),
    secret
  ).pipe(
    Effect.flatMap((answer) => {
      const body = answer.status === 200 ? json(answer) : undefined
      const found = body && read(body, answer)
      return found === undefined
        ? Effect.fail(reason(classify(answer), answer))
        : Effect.mapError(Effect.fromResult(found), (told) => reason(told, answer))
    })
  )
}

export const sourceWith =
  (wrong: Wrong = {}) =>
  (fetch: Fetch): Effect.Effect<AssertionSource.AssertionSource> => {
    const { jwt = fromJwt } = wrong
    const asking = wrong.fetch?.(fetch) ?? fetch
    const source = AssertionSource.make({
      name: "platform",
      offers: { audience: "any", issuer: "https://issuer.example", algorithms: ["RS256"] },
      assertion: ({ audience = "party" }) =>
        ask(
          asking,
          { url: "https://platform.example/assertion", body: `audience=${audience}`, secret: key },
          wrong,
          (body, answer) =>
            typeof body["jwt"] === "string"
              ? jwt(body["jwt"], answer)
              : Result.fail(unexpected(answer))
        )
    })
    return Effect.succeed(wrong.source?.(source) ?? source)
  }

export const exchangerWith =
  (wrong: Wrong = {}) =>
  (fetch: Fetch): Effect.Effect<TokenExchanger.TokenExchanger> => {
    const asking = wrong.fetch?.(fetch) ?? fetch
    const exchanger = TokenExchanger.make<AccessToken>({
      name: "party",
      exchange: (assertion) =>
        ask(
          asking,
          {
            url: "https://party.example/token",
            body: "grant",
            secret: Redacted.value(assertion.token)
          },
          wrong,
          (body, answer) => {
            const lifetime = Lifetime.parse("expires_in", body["expires_in"])
            return typeof body["access_token"] !== "string" || Result.isFailure(lifetime)
              ? Result.fail(unexpected(answer))
              : Result.succeed(
                  Credential.accessToken({
                    token: Redacted.make(body["access_token"]),
                    tokenType: "Bearer",
                    obtainedAt: answer.sentAt,
                    expiresAt: answer.sentAt + lifetime.success
                  })
                )
          }
        )
    })
    return Effect.succeed(wrong.exchanger?.(exchanger) ?? exchanger)
  }
