/** The keys that an issuer signs with (RFC 7517). */
import { FederationError, Malformed } from "@federate/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { JWK } from "jose"
import { discover, failure, read } from "./discovery.ts"
import type { DiscoverOptions } from "./discovery.ts"
import { publicKeyFor } from "./key.ts"
import { VerificationError } from "./VerificationError.ts"

/** What a JWT's header says of the key it is signed with. */
export interface KeyHeader {
  readonly alg: string
  readonly kid?: string
}

export interface KeySet {
  /** The public key that verifies what has this header; fails with the check `key` when there is none. */
  readonly find: (header: KeyHeader) => Effect.Effect<JWK, VerificationError | FederationError>
}

/** Keys that are at hand. */
export const localKeys = (set: { readonly keys: ReadonlyArray<JWK> }): KeySet => ({
  find: (header) => Effect.fromResult(pick(set.keys, header))
})

const pick = (
  keys: ReadonlyArray<JWK>,
  { alg, kid }: KeyHeader
): Result.Result<JWK, VerificationError> => {
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid)
  const usable = named.map((key) => publicKeyFor(alg, key)).filter((key) => key !== undefined)
  const [key] = usable
  if (key !== undefined && (kid !== undefined || usable.length === 1)) return Result.succeed(key)
  const detail =
    kid === undefined
      ? `The token names no key (kid), and ${usable.length} of the issuer's ${keys.length} keys could have signed it`
      : named.length === 0
        ? `The issuer publishes no key "${kid}"`
        : `The issuer's key "${kid}" cannot verify ${alg}: it is of another kind, not for signatures, or too weak`
  return Result.fail(new VerificationError({ check: "key", detail }))
}

/** Keys beyond these are ignored, as Entra does. */
const maximumKeys = 100

/** How long a key set is believed, in milliseconds: what its `Cache-Control` says within bounds; without one, an hour. */
const believed = { least: 5 * 60_000, usual: 3_600_000, most: 24 * 3_600_000 }

/** How soon after a fetch an unknown key leads to another one, in milliseconds. */
const unknownKeyPause = 30_000

/** How soon after a failed fetch the next one is made, in milliseconds. */
const failurePause = 30_000

/** For how long old keys serve while the issuer cannot be reached, in milliseconds. */
const oldKeysServe = 24 * 3_600_000

interface Fetched {
  readonly keys: ReadonlyArray<JWK>
  readonly at: number
  readonly life: number
}

export interface RemoteKeysOptions extends DiscoverOptions {
  /** Where the keys are, for an issuer without a discovery document: https, or http on loopback. Default: discovery. */
  readonly jwksUri?: string
}

/**
 * An issuer's published keys, found by discovery and remembered (RFC 7517, OpenID Connect Discovery 1.0): one fetch at
 * a time, another one when a token names a key that is not among them, old keys while the issuer cannot be reached.
 * At most the first 100 keys count. An issuer that could not be reached is left alone for 30 s: the error's `retryAt`.
 */
export const remoteKeys = Effect.fnUntraced(function* (
  options: RemoteKeysOptions
): Effect.fn.Return<KeySet> {
  const { issuer } = options
  const oneAtATime = yield* Semaphore.make(1)
  let fetched: Fetched | undefined
  let failed: { readonly error: FederationError; readonly at: number } | undefined

  const fetch = Effect.gen(function* () {
    const at = yield* millis
    const jwksUri = options.jwksUri ?? (yield* discover(options)).jwksUri
    const { answer, document } = yield* read(options, jwksUri)
    if (!Array.isArray(document["keys"])) {
      return yield* failure(
        issuer,
        new Malformed({ detail: `The key set of "${issuer}" has no keys` })
      )
    }
    const keys: ReadonlyArray<JWK> = document["keys"].filter(isKey).slice(0, maximumKeys)
    return { keys, at, life: lifeOf(answer.headers.get("cache-control")) }
  })

  /** The keys as they are, or newer than `after`. */
  const keys = Effect.fnUntraced(function* (after: number) {
    const now = yield* millis
    if (fetched !== undefined && fetched.at > after && now - fetched.at < fetched.life)
      return fetched
    if (failed === undefined || now - failed.at >= failurePause) {
      const result = yield* Effect.result(fetch)
      if (Result.isSuccess(result)) {
        failed = undefined
        return (fetched = result.success)
      }
      const { adapter, reason, stage } = result.failure
      const retryAt = (yield* Clock.currentTimeMillis) + failurePause
      failed = { error: new FederationError({ adapter, stage, reason, retryAt }), at: now }
    }
    if (fetched !== undefined && now - fetched.at < oldKeysServe) return fetched
    return yield* failed.error
  }, oneAtATime.withPermit)

  return {
    find: Effect.fnUntraced(function* (header) {
      const known = yield* keys(Number.NEGATIVE_INFINITY)
      const found = pick(known.keys, header)
      if (Result.isSuccess(found) || (yield* millis) - known.at < unknownKeyPause)
        return yield* Effect.fromResult(found)
      // It may have been published since.
      return yield* Effect.fromResult(pick((yield* keys(known.at)).keys, header))
    })
  }
})

const millis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

// The members are checked when a key is picked.
const isKey = (value: unknown): value is JWK =>
  typeof value === "object" && value !== null && "kty" in value

const lifeOf = (cacheControl: string | null): number => {
  const seconds = /(?:^|[\s,])max-age=(\d+)/i.exec(cacheControl ?? "")?.[1]
  return seconds === undefined
    ? believed.usual
    : Math.min(Math.max(Number(seconds) * 1000, believed.least), believed.most)
}
