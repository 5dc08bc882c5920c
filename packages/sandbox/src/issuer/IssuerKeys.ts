/** Where a relying party fetches a foreign issuer's keys: by its discovery document, over the network, remembered. */
import type { FederationError } from "@federate/core"
import { remoteKeys, verify } from "@federate/oidc"
import type { KeySet, VerificationError, Verified, VerifyOptions } from "@federate/oidc"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"

export interface IssuerKeys {
  /** Verifies a token by the issuer's keys, which are fetched again when the token's is not among those remembered. */
  readonly verify: (
    issuer: string,
    token: Redacted.Redacted,
    options: Omit<VerifyOptions, "keys">
  ) => Effect.Effect<Verified, VerificationError | FederationError>
}

/**
 * @param locations where URLs are really fetched from, by their beginning: `https://localhost:8443`, or
 * `https://cognito-identity.amazonaws.com`, to the base URL that stands in for it
 */
export const make = (locations: Readonly<Record<string, string>>): IssuerKeys => {
  const sets = new Map<string, KeySet>()
  const fetch = (url: string, init: RequestInit) => globalThis.fetch(relocate(locations, url), init)
  const known = Effect.fnUntraced(function* (issuer: string) {
    const set = sets.get(issuer) ?? (yield* remoteKeys({ issuer, fetch }))
    sets.set(issuer, set)
    return set
  })
  return {
    verify: (issuer, token, options) => {
      const attempt = Effect.flatMap(known(issuer), (keys) => verify(token, { ...options, keys }))
      const forget = Effect.sync(() => void sets.delete(issuer))
      return attempt.pipe(
        Effect.catchIf(
          (error) => error._tag === "VerificationError" && error.check === "key",
          // It may have been published since the keys were fetched.
          () => Effect.andThen(forget, attempt)
        ),
        Effect.tapError((error) => (error._tag === "FederationError" ? forget : Effect.void))
      )
    }
  }
}

const relocate = (locations: Readonly<Record<string, string>>, url: string): string => {
  const from = Object.keys(locations)
    .filter((prefix) => url === prefix || url.startsWith(`${prefix}/`))
    .toSorted((a, b) => b.length - a.length)[0]
  return from === undefined ? url : locations[from] + url.slice(from.length)
}
