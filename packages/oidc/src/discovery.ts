/** What an issuer says of itself: OpenID Connect Discovery 1.0. */
import { FederationError, Malformed } from "@federate/core"
import type { Reason } from "@federate/core"
import { endpoint, json, overloaded, send, unexpected } from "@federate/http"
import type { Fetch, HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isInternal } from "./internal.ts"

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
  /** Where clients show a certificate, when that is elsewhere (RFC 8705 §5). */
  readonly certifiedTokenEndpoint?: string
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
 * (§4.3): a trailing slash counts there, though not in the document's address. What it points to must be https, may be
 * on another host, as Google's keys are, but not on this machine or in a private network unless the issuer itself is.
 */
export const discover = Effect.fnUntraced(function* (
  options: DiscoverOptions
): Effect.fn.Return<ProviderMetadata, FederationError> {
  const { issuer } = options
  const { document } = yield* read(options, `${bare(issuer)}/.well-known/openid-configuration`)
  const fail = (detail: string) => failure(issuer, new Malformed({ detail }))
  const { issuer: named } = document
  if (named !== issuer) {
    return yield* fail(
      `The discovery document of "${issuer}" names ${typeof named === "string" ? `another issuer, "${named}"` : "no issuer"}`
    )
  }
  const pointer = Effect.fnUntraced(function* (member: string, value: unknown) {
    if (typeof value !== "string") return undefined
    const problem = pointerProblem(issuer, value)
    return problem === undefined
      ? value
      : yield* fail(`The discovery document of "${issuer}" has a ${member} that ${problem}`)
  })
  const { jwks_uri, mtls_endpoint_aliases: aliases, token_endpoint } = document
  const jwksUri = yield* pointer("jwks_uri", jwks_uri)
  if (jwksUri === undefined)
    return yield* fail(`The discovery document of "${issuer}" has no jwks_uri`)
  const tokenEndpoint = yield* pointer("token_endpoint", token_endpoint)
  const certified =
    typeof aliases === "object" && aliases !== null && "token_endpoint" in aliases
      ? yield* pointer("token_endpoint for certificates", aliases.token_endpoint)
      : undefined
  return {
    issuer,
    jwksUri,
    document,
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...(certified !== undefined && { certifiedTokenEndpoint: certified })
  }
})

/** What is wrong with where an issuer points to. */
const pointerProblem = (issuer: string, pointer: string): string | undefined => {
  const checked = endpoint("pointer", pointer)
  if (Result.isFailure(checked)) return checked.failure.problem
  // The issuer's own was looked at before it was asked.
  return isInternal(checked.success.hostname) && !isInternal(new URL(issuer).hostname)
    ? `is in a private network (${checked.success.hostname}), where the issuer itself is not`
    : undefined
}
