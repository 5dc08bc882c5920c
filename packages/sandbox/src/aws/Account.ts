/** The AWS account: its roles, their policies, the access keys that act as them, and whose assertions it trusts. */
import { randomBytes, randomInt } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { KeyRing } from "../KeyRing.ts"
import * as History from "../kernel/History.ts"
import { AwsError } from "./AwsError.ts"
import type { Context } from "./Condition.ts"
import * as Policy from "./Policy.ts"

interface Document<Statement> {
  /** As it was written. */
  readonly document: string
  readonly statements: ReadonlyArray<Statement>
}

export type TrustPolicy = Document<Policy.TrustStatement>

/** By key, as they were written. */
export type Tags = Map<string, string>

export interface ManagedPolicy extends Document<Policy.Statement> {
  readonly arn: string
  readonly name: string
  /** `/`, or `/…/`. */
  readonly path: string
  /** `ANPA…` */
  readonly id: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly tags: Tags
}

export interface Role {
  readonly name: string
  /** `/`, or `/…/`. */
  readonly path: string
  /** `AROA…` */
  readonly id: string
  readonly arn: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  description: string | undefined
  /** In seconds. */
  maxSessionDuration: number
  /** Who may assume it. */
  readonly trustPolicy: History.History<TrustPolicy>
  readonly policies: Map<string, Document<Policy.Statement>>
  /** Managed policies, by ARN. */
  readonly attached: Map<string, ManagedPolicy>
  /** What all its policies say together. */
  readonly permissions: History.History<ReadonlyArray<Policy.Statement>>
  readonly tags: Tags
}

export interface AccessKey {
  readonly id: string
  readonly secret: Redacted.Redacted
  /** Temporary keys have it; a request must carry it. */
  readonly sessionToken?: Redacted.Redacted
  /** Epoch milliseconds, on AWS's clock. */
  readonly expiresAt?: number
  /** Who signs with it. */
  readonly role: Role
  readonly sessionName: string
  /** What its session policies allow: what the role may do, it may do only if they agree. */
  readonly sessionPolicy?: ReadonlyArray<Policy.Statement>
  /** The session's tags. */
  readonly tags?: Readonly<Record<string, string>>
  readonly sourceIdentity?: string
}

/** An OpenID provider whose assertions the account's roles may trust. */
export interface OidcProvider {
  readonly arn: string
  /** The issuer without its scheme. */
  readonly url: string
  readonly clientIds: History.History<ReadonlySet<string>>
  /** Kept and shown: AWS trusts the providers' certificate authorities by itself. */
  readonly thumbprints: ReadonlyArray<string>
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly tags: Tags
}

/** The account's own issuer, from when outbound federation was first enabled. */
export interface Outbound {
  readonly issuer: string
  enabled: boolean
  readonly keys: Readonly<Record<"RS256" | "ES384", KeyRing>>
}

export interface Account {
  /** The 12 digits. */
  readonly id: string
  readonly region: string
  readonly roles: Map<string, Role>
  readonly keys: Map<string, AccessKey>
  /** By ARN. */
  readonly oidcProviders: Map<string, OidcProvider>
  /** The account's own managed policies, by ARN. */
  readonly policies: Map<string, ManagedPolicy>
  outbound?: Outbound
  /** What STS and authorization see: what was set until this time, epoch milliseconds. */
  readonly seenUntil: (now: number) => number
}

export const make = (region: string, seenUntil: Account["seenUntil"]): Account => ({
  // AWS's own example account.
  id: "111122223333",
  region,
  roles: new Map(),
  keys: new Map(),
  oidcProviders: new Map(),
  policies: new Map(),
  seenUntil
})

export const addRole = (
  account: Account,
  options: {
    readonly name: string
    readonly createdAt: number
    readonly trustPolicy: TrustPolicy
    /** Since when it is there for all; by default, for ever. */
    readonly setAt?: number
    /** Default `/`. */
    readonly path?: string
    readonly description?: string | undefined
    /** In seconds. Default an hour. */
    readonly maxSessionDuration?: number | undefined
    readonly tags?: Tags
  }
): Role => {
  const {
    createdAt,
    maxSessionDuration = 3600,
    name,
    path = "/",
    setAt,
    tags = new Map()
  } = options
  const role: Role = {
    name,
    createdAt,
    path,
    description: options.description,
    maxSessionDuration,
    tags,
    id: `AROA${base32(17)}`,
    arn: roleArn(account, name, path),
    trustPolicy: History.begin(options.trustPolicy, setAt),
    policies: new Map(),
    attached: new Map(),
    permissions: History.begin<ReadonlyArray<Policy.Statement>>([])
  }
  account.roles.set(role.name, role)
  return role
}

/** Has what its policies now say hold from then on: to be called after each change of them. */
export const setPermissions = (
  { attached, permissions, policies }: Role,
  setAt: number = Number.NEGATIVE_INFINITY
): void =>
  History.set(
    permissions,
    [...policies.values(), ...attached.values()].flatMap(({ statements }) => statements),
    setAt
  )

export const newPolicyId = (): string => `ANPA${base32(17)}`

export const roleArn = (account: Account, name: string, path = "/"): string =>
  `arn:aws:iam::${account.id}:role${path}${name}`

export const oidcProviderArn = (account: Account, url: string): string =>
  `arn:aws:iam::${account.id}:oidc-provider/${url}`

/** Trusts an issuer's assertions for these audiences. */
export const addOidcProvider = (
  account: Account,
  options: Omit<OidcProvider, "arn" | "clientIds"> & {
    readonly clientIds: Iterable<string>
    /** Since when it is there for all; by default, for ever. */
    readonly setAt?: number
  }
): OidcProvider => {
  const { clientIds, setAt, ...rest } = options
  const provider: OidcProvider = {
    ...rest,
    clientIds: History.begin<ReadonlySet<string>>(new Set(clientIds), setAt),
    arn: oidcProviderArn(account, options.url)
  }
  account.oidcProviders.set(provider.arn, provider)
  return provider
}

/** A key that acts as the role: temporary with an end, otherwise for good. */
export const addKey = (
  account: Account,
  role: Role,
  options: Omit<AccessKey, "id" | "role" | "secret" | "sessionToken">
): AccessKey => {
  const key: AccessKey = {
    ...options,
    id: `${options.expiresAt === undefined ? "AKIA" : "ASIA"}${base32(16)}`,
    secret: Redacted.make(randomBytes(30).toString("base64")),
    ...(options.expiresAt !== undefined && {
      sessionToken: Redacted.make(randomBytes(192).toString("base64"))
    }),
    role
  }
  account.keys.set(key.id, key)
  return key
}

/** Who a key's holder is: an assumed role's session. */
export const callerArn = (account: Account, { role, sessionName }: AccessKey): string =>
  `arn:aws:sts::${account.id}:assumed-role/${role.name}/${sessionName}`

/** Who wants to do something, and when. */
export interface Caller {
  readonly caller: AccessKey
  /** Epoch milliseconds, on AWS's clock. */
  readonly now: number
}

/**
 * Whether the key's role may do it.
 *
 * @param options how the refusal names the resource, where that is not by its ARN; and what conditions look at
 */
export const authorize = (
  account: Account,
  { caller: key, now }: Caller,
  action: string,
  resource: string,
  { context, told = resource }: { readonly told?: string; readonly context?: Context } = {}
): Effect.Effect<void, AwsError> => {
  const statements = History.seen(key.role.permissions, account.seenUntil(now)) ?? []
  const decisions = {
    "identity-based": Policy.evaluate(statements, action, resource, context),
    session:
      key.sessionPolicy === undefined
        ? "allowed"
        : Policy.evaluate(key.sessionPolicy, action, resource, context)
  }
  const [refusing] = Object.entries(decisions)
    .filter(([, decision]) => decision !== "allowed")
    .toSorted(([, a], [, b]) => a.localeCompare(b))
  if (refusing === undefined) return Effect.void
  const [kind, decision] = refusing
  const because =
    decision === "denied"
      ? `with an explicit deny in ${kind === "session" ? "a" : "an"} ${kind} policy`
      : `because no ${kind} policy allows the ${action} action`
  return new AwsError({
    code: "AccessDeniedException",
    message: `User: ${callerArn(account, key)} is not authorized to perform: ${action} on resource: ${told} ${because}`
  })
}

const base32 = (length: number): string =>
  Array.from({ length }, () => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[randomInt(32)]).join("")
