/** What an issuer of one's own publishes, as static files, and when its keys change places. */
import type { JWK } from "jose"

/** The documents by their paths under the issuer: OpenID Connect Discovery 1.0 §3, RFC 7517 §5. */
export const publication = (
  issuer: string,
  keys: ReadonlyArray<JWK>
): Readonly<Record<string, unknown>> => ({
  ".well-known/openid-configuration": {
    issuer,
    jwks_uri: `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))]
  },
  ".well-known/jwks.json": { keys }
})

/** An issuer's keys, and what is to happen to them. Times are epoch milliseconds. */
export interface KeyRotation {
  /** Signs. */
  readonly signing: JWK
  /** Is published, and signs from then on. */
  readonly next?: { readonly key: JWK; readonly signsFrom: number }
  /** Signed before, and is published until then. */
  readonly previous?: { readonly key: JWK; readonly publishedUntil: number }
}

/** For how long relying parties may go on with a key set that they have fetched, in milliseconds. */
const cached = 24 * 3_600_000

/** What the last token of a key lives at most, in milliseconds: an hour, with the tolerance of slow clocks. */
const lastToken = 65 * 60_000

/** The keys that are published meanwhile. */
export const publishedKeys = ({ next, previous, signing }: KeyRotation): ReadonlyArray<JWK> => [
  signing,
  ...(next === undefined ? [] : [next.key]),
  ...(previous === undefined ? [] : [previous.key])
]

/** A new key is published: it signs when every relying party has had the time to fetch it. */
export const announced = ({ signing }: KeyRotation, key: JWK, now: number): KeyRotation => ({
  signing,
  next: { key, signsFrom: now + cached }
})

/**
 * The new key signs. The old one is published until its last token has ended, and a day more: where the private key was
 * copied to, the new one has to come first.
 */
export const switched = (
  { signing }: KeyRotation,
  { key }: NonNullable<KeyRotation["next"]>,
  now: number
): KeyRotation => ({
  signing: key,
  previous: { key: signing, publishedUntil: now + cached + lastToken }
})

/** The old key is gone. */
export const completed = ({ signing }: KeyRotation): KeyRotation => ({ signing })
