/** The identity pools and the identities in them. */
import { randomUUID } from "node:crypto"

/** A pool's settings, named as in the API; see CreateIdentityPool. */
export interface Settings {
  readonly IdentityPoolName: string
  readonly AllowUnauthenticatedIdentities: boolean
  readonly AllowClassicFlow?: boolean
  readonly DeveloperProviderName?: string
  readonly SupportedLoginProviders?: Readonly<Record<string, string>>
  readonly OpenIdConnectProviderARNs?: ReadonlyArray<unknown>
  readonly CognitoIdentityProviders?: ReadonlyArray<unknown>
  readonly SamlProviderARNs?: ReadonlyArray<unknown>
  readonly IdentityPoolTags?: Readonly<Record<string, string>>
}

export interface IdentityPool {
  /** `REGION:GUID` */
  readonly id: string
  settings: Settings
  /** Role ARNs by `authenticated` and `unauthenticated`. */
  roles: Readonly<Record<string, string>>
  readonly identities: Map<string, Identity>
  /** Identities by the developer's own user ids. */
  readonly developerUsers: Map<string, Identity>
  /** Identities by what public providers say of who logs in: `issuer.example:OIDC:subject`. */
  readonly publicLogins: Map<string, Identity>
}

export interface Identity {
  /** `REGION:GUID` */
  readonly id: string
  /** The developer's own user ids that are linked to it. */
  readonly developerUsers: Set<string>
  /** Whether somebody is known by it; a guest is nobody. */
  isLinked: boolean
}

export type IdentityPools = Map<string, IdentityPool>

export const addPool = (pools: IdentityPools, region: string, settings: Settings): IdentityPool => {
  const pool: IdentityPool = {
    id: `${region}:${randomUUID()}`,
    settings,
    roles: {},
    identities: new Map(),
    developerUsers: new Map(),
    publicLogins: new Map()
  }
  pools.set(pool.id, pool)
  return pool
}

export const addIdentity = (pool: IdentityPool, region: string): Identity => {
  const identity: Identity = {
    id: `${region}:${randomUUID()}`,
    developerUsers: new Set(),
    isLinked: false
  }
  pool.identities.set(identity.id, identity)
  return identity
}

/** Links the developer's own user id to an identity. */
export const link = (pool: IdentityPool, identity: Identity, user: string): void => {
  identity.isLinked = true
  identity.developerUsers.add(user)
  pool.developerUsers.set(user, identity)
}

/** Links public providers' logins to an identity. */
export const linkPublic = (
  pool: IdentityPool,
  identity: Identity,
  logins: ReadonlyArray<string>
): void => {
  for (const login of logins) {
    identity.isLinked = true
    pool.publicLogins.set(login, identity)
  }
}

/** The identity of the developer's own user id: the same at every call, new at the first. */
export const identityOf = (pool: IdentityPool, region: string, user: string): Identity => {
  const known = pool.developerUsers.get(user)
  if (known !== undefined) return known
  const identity = addIdentity(pool, region)
  link(pool, identity, user)
  return identity
}

/** The pool that an identity belongs to. */
export const poolOf = (
  pools: IdentityPools,
  identityId: string
): { readonly pool: IdentityPool; readonly identity: Identity } | undefined => {
  for (const pool of pools.values()) {
    const identity = pool.identities.get(identityId)
    if (identity !== undefined) return { pool, identity }
  }
  return undefined
}
