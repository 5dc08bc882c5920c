/** The keys that an issuer signs with, and those that it publishes. */
import { generateKeyPair } from "node:crypto"
import type { KeyObject } from "node:crypto"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import { CompactSign, exportJWK } from "jose"
import type { JWK } from "jose"

/** RFC 7518 §3.1, as far as the stand-ins sign. */
export type Algorithm = "RS256" | "RS384" | "RS512" | "PS256" | "ES256" | "ES384"

/** What the key set shows after a rotation: the old keys and the new one, the new one alone, or the old ones alone. */
export type Publish = "both" | "new" | "old"

export interface SigningKey {
  readonly kid: string
  readonly algorithm: Algorithm
  /** Begun when the key is made; 2048-bit RSA takes some 100 ms, away from the main thread. */
  readonly pair: Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }>
}

export interface KeyRing {
  /** The key that signs. */
  readonly current: () => SigningKey
  /** What the key set shows. */
  readonly published: () => ReadonlyArray<SigningKey>
  /** A new key signs from now on. Gives its `kid`. */
  readonly rotate: (publish?: Publish) => string
}

/**
 * A ring with one key, which is being made when this returns.
 *
 * @param kid names the n-th key; the first is 1
 */
export const make = (algorithm: Algorithm, kid: (generation: number) => string): KeyRing => {
  let generation = 0
  const next = (): SigningKey => ({ kid: kid(++generation), algorithm, pair: generate(algorithm) })
  let current = next()
  let published: ReadonlyArray<SigningKey> = [current]
  return {
    current: () => current,
    published: () => published,
    rotate: (publish = "both") => {
      current = next()
      if (publish === "new") published = [current]
      if (publish === "both") published = [...published, current]
      return current.kid
    }
  }
}

const generateAsync = promisify(generateKeyPair)

const generate = (algorithm: Algorithm): SigningKey["pair"] => {
  if (algorithm === "ES256") return generateAsync("ec", { namedCurve: "P-256" })
  if (algorithm === "ES384") return generateAsync("ec", { namedCurve: "P-384" })
  return generateAsync("rsa", { modulusLength: 2048 })
}

/** A public key as a JWK (RFC 7517), with its `kid` and `use`. */
export const toJwk = Effect.fnUntraced(function* ({ kid, pair }: SigningKey) {
  const jwk: JWK = yield* Effect.promise(async () => exportJWK((await pair).publicKey))
  return { ...jwk, kid, use: "sig" }
})

/**
 * A compact JWS over the claims, in the order that they are given.
 *
 * @param header goes before `alg`; `kid` is the key's own unless given
 */
export const sign = (
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {}
): Effect.Effect<string> =>
  Effect.promise(async () =>
    new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ kid: key.kid, ...header, alg: key.algorithm })
      .sign((await key.pair).privateKey)
  )
