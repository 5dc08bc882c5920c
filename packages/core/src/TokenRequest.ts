/** What a caller asks of a flow. */
import type { Credential } from "./Credential.ts"

export interface TokenRequest {
  /** OAuth scopes (RFC 6749 §3.3). Without them the exchanger's own default serves. */
  readonly scopes?: ReadonlyArray<string>
  /** RFC 8693 §2.1 `audience`, or an ID token's. */
  readonly audience?: string
  /**
   * A claims challenge (OpenID Connect Core §5.5), as JSON text: asks for a credential of its own, which then serves
   * requests without claims too.
   */
  readonly claims?: string
  /** "Anything but this one": it was refused where it was used. Compare, drop, fetch again; never part of the key. */
  readonly rejected?: Credential
}

/** What tells one cached credential of a flow from another: scopes (sorted, each once), audience and claims. */
export const key = (request?: TokenRequest): string => {
  if (request === undefined) return ""
  const { scopes, audience, claims } = request
  if (audience === undefined && claims === undefined) {
    if (scopes === undefined || scopes.length === 0) return ""
    // The usual request: one scope. A scope holds no blank (RFC 6749 §3.3), so no list reads like another.
    return scopes.length === 1 ? scopes[0]! : distinct(scopes).join(" ")
  }
  return JSON.stringify([distinct(scopes ?? []), audience ?? null, claims ?? null])
}

const distinct = (scopes: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(scopes)].toSorted()
