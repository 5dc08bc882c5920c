/** Where Entra fetches a foreign issuer's keys: by its discovery document, over the network, remembered. */
import { remoteKeys } from "@federate/oidc"
import type { KeySet } from "@federate/oidc"
import * as Effect from "effect/Effect"

export interface IssuerKeys {
  /** The issuer's keys as they are remembered; fetched when first needed. */
  readonly known: (issuer: string) => Effect.Effect<KeySet>
  /** Forgets them: the next who asks fetches them again. */
  readonly forget: (issuer: string) => void
}

/**
 * @param locations where URLs are really fetched from, by their beginning: `https://localhost:8443`, or
 * `https://cognito-identity.amazonaws.com`, to the base URL that stands in for it
 */
export const make = (locations: Readonly<Record<string, string>>): IssuerKeys => {
  const sets = new Map<string, KeySet>()
  const fetch = (url: string, init: RequestInit) => globalThis.fetch(relocate(locations, url), init)
  return {
    known: Effect.fnUntraced(function* (issuer) {
      const known = sets.get(issuer)
      if (known !== undefined) return known
      const set = yield* remoteKeys({ issuer, fetch })
      sets.set(issuer, set)
      return set
    }),
    forget: (issuer) => void sets.delete(issuer)
  }
}

const relocate = (locations: Readonly<Record<string, string>>, url: string): string => {
  const from = Object.keys(locations)
    .filter((prefix) => url === prefix || url.startsWith(`${prefix}/`))
    .toSorted((a, b) => b.length - a.length)[0]
  return from === undefined ? url : locations[from] + url.slice(from.length)
}
