/** What an issuer says of itself: OpenID Connect Discovery 1.0. */
import { FederationError, Malformed } from "@federate/core"
import type { Reason } from "@federate/core"
import { endpoint, json, overloaded, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

export interface DiscoverOptions {
  /** As it stands in the tokens: an https URL (or http on loopback), to the letter. */
  readonly issuer: string
  /** Default: the platform's. One of your own may reach an issuer elsewhere than at its own address. */
  readonly fetch?: Fetch
}

export interface ProviderMetadata {
  readonly issuer: string
  readonly jwksUri: string
  readonly tokenEndpoint?: string
  /** The document itself, for what else it says. */
  readonly document: Readonly<Record<string, unknown>>
}

/** No discovery document or key set comes near it. In bytes. */
const maximumSize = 512 * 1024

const bare = (url: string): string => (url.endsWith("/") ? url.slice(0, -1) : url)

/** A JSON document of the issuer's: https, no redirect, at most 512 KiB, within 5 s. */
export const read = Effect.fnUntraced(function* (
  options: DiscoverOptions,
  url: string
): Effect.fn.Return<
  { readonly document: Readonly<Record<string, unknown>>; readonly answer: HttpAnswer },
  FederationError
> {
  const fail = (reason: Reason) => failure(options.issuer, reason)
  const checked = endpoint("issuer", url)
  if (Result.isFailure(checked)) return yield* fail(checked.failure)
  const answer = yield* Effect.mapError(
    send(
      { url, headers: { accept: "application/json" } },
      { fetch: options.fetch, maximumSize, timeout: "5 seconds" }
    ),
    fail
  )
  const document = answer.status === 200 ? json(answer) : undefined
  if (document === undefined) return yield* fail(overloaded(answer) ?? unexpected(answer))
  return { document, answer }
})

/** An error about an issuer. */
export const failure = (issuer: string, reason: Reason): FederationError =>
  new FederationError({ adapter: issuer, stage: "assertion", reason })

/**
 * Fetches the issuer's discovery document. Its `issuer` must be the one that was asked for, character by character
 * (§4.3): a trailing slash counts there, though not in the document's address.
 */
export const discover = Effect.fnUntraced(function* (
  options: DiscoverOptions
): Effect.fn.Return<ProviderMetadata, FederationError> {
  const { issuer } = options
  const { document } = yield* read(options, `${bare(issuer)}/.well-known/openid-configuration`)
  const { issuer: named, jwks_uri: jwksUri, token_endpoint: tokenEndpoint } = document
  const fail = (detail: string) => failure(issuer, new Malformed({ detail }))
  if (named !== issuer) {
    return yield* fail(
      `The discovery document of "${issuer}" names ${typeof named === "string" ? `another issuer, "${named}"` : "no issuer"}`
    )
  }
  if (typeof jwksUri !== "string")
    return yield* fail(`The discovery document of "${issuer}" has no jwks_uri`)
  return { issuer, jwksUri, document, ...(typeof tokenEndpoint === "string" && { tokenEndpoint }) }
})
