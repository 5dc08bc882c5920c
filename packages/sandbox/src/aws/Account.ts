/** The AWS account: its roles, their policies, and the access keys that act as them. */
import { randomBytes, randomInt } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { AwsError } from "./AwsError.ts"
import * as Policy from "./Policy.ts"

interface InlinePolicy {
  /** As it was written. */
  readonly document: string
  readonly statements: ReadonlyArray<Policy.Statement>
}

export interface Role {
  readonly name: string
  /** `AROA…` */
  readonly id: string
  readonly arn: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Kept and shown, never evaluated. */
  readonly trustPolicy: string
  readonly policies: Map<string, InlinePolicy>
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
}

export interface Account {
  /** The 12 digits. */
  readonly id: string
  readonly region: string
  readonly roles: Map<string, Role>
  readonly keys: Map<string, AccessKey>
}

export const make = (region: string): Account => ({
  // AWS's own example account.
  id: "111122223333",
  region,
  roles: new Map(),
  keys: new Map()
})

export const addRole = (
  account: Account,
  options: { readonly name: string; readonly createdAt: number; readonly trustPolicy: string }
): Role => {
  const role: Role = {
    ...options,
    id: `AROA${base32(17)}`,
    arn: roleArn(account, options.name),
    policies: new Map()
  }
  account.roles.set(role.name, role)
  return role
}

export const roleArn = (account: Account, name: string): string =>
  `arn:aws:iam::${account.id}:role/${name}`

/** A key that acts as the role: temporary with an end, otherwise for good. */
export const addKey = (
  account: Account,
  role: Role,
  options: { readonly sessionName: string; readonly expiresAt?: number }
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

/**
 * Whether the key's role may do it.
 *
 * @param told how the refusal names the resource, where that is not by its ARN
 */
export const authorize = (
  account: Account,
  key: AccessKey,
  action: string,
  resource: string,
  told = resource
): Effect.Effect<void, AwsError> => {
  const statements = [...key.role.policies.values()].flatMap((policy) => policy.statements)
  const decision = Policy.evaluate(statements, action, resource)
  if (decision === "allowed") return Effect.void
  const because =
    decision === "denied"
      ? "with an explicit deny in an identity-based policy"
      : `because no identity-based policy allows the ${action} action`
  return new AwsError({
    code: "AccessDeniedException",
    message: `User: ${callerArn(account, key)} is not authorized to perform: ${action} on resource: ${told} ${because}`
  })
}

const base32 = (length: number): string =>
  Array.from({ length }, () => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[randomInt(32)]).join("")
