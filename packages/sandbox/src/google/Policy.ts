/** Allow policies (https://cloud.google.com/iam/docs/reference/rest/v1/Policy), and what their roles permit. */
import { randomBytes } from "node:crypto"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as History from "../kernel/History.ts"
import { ApiError, invalid } from "./GoogleError.ts"
import { isMember, members } from "./Principal.ts"
import type { Principal } from "./Principal.ts"

export interface Binding {
  readonly role: string
  readonly members: ReadonlyArray<string>
}

export interface Policy {
  readonly version: 1
  readonly etag: string
  readonly bindings: ReadonlyArray<Binding>
}

/** A resource's policies. */
export type Policies = History.History<Policy>

const newEtag = (): string => randomBytes(8).toString("base64")

export const begin = (bindings: ReadonlyArray<Binding> = []): Policies =>
  History.begin({ version: 1, etag: newEtag(), bindings })

const serviceAccountUser = [
  "iam.serviceAccounts.getAccessToken",
  "iam.serviceAccounts.getOpenIdToken"
]

/** https://cloud.google.com/iam/docs/roles-permissions/iam, as far as something here asks for it; `*` ends a prefix. */
const roles: Readonly<Record<string, ReadonlyArray<string>>> = {
  "roles/owner": ["*"],
  "roles/browser": ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"],
  "roles/viewer": [
    "resourcemanager.projects.get",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.list",
    "iam.workloadIdentityPools.get",
    "iam.workloadIdentityPools.list",
    "iam.workloadIdentityPoolProviders.get",
    "iam.workloadIdentityPoolProviders.list"
  ],
  "roles/iam.workloadIdentityPoolAdmin": [
    "iam.workloadIdentityPools.*",
    "iam.workloadIdentityPoolProviders.*",
    "resourcemanager.projects.get"
  ],
  "roles/iam.serviceAccountAdmin": [
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.delete",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.list",
    "iam.serviceAccounts.update",
    "iam.serviceAccounts.getIamPolicy",
    "iam.serviceAccounts.setIamPolicy",
    "resourcemanager.projects.get"
  ],
  "roles/iam.workloadIdentityUser": [
    ...serviceAccountUser,
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.list"
  ],
  "roles/iam.serviceAccountTokenCreator": [
    ...serviceAccountUser,
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.list"
  ],
  "roles/iam.serviceAccountOpenIdTokenCreator": ["iam.serviceAccounts.getOpenIdToken"]
}

/** Whether a policy that is at least this old gives the principal the permission. */
export const allows = (
  policies: Policies,
  principal: Principal,
  permission: string,
  before: number
): boolean => {
  const names = members(principal)
  const { bindings = [] } = History.seen(policies, before) ?? {}
  return bindings.some(
    (binding) =>
      binding.members.some((member) => names.includes(member)) &&
      (roles[binding.role] ?? []).some((granted) =>
        granted.endsWith("*") ? permission.startsWith(granted.slice(0, -1)) : granted === permission
      )
  )
}

/** Either alphabet of base64, padded or not (https://protobuf.dev/programming-guides/json/); gcloud writes the other one. */
const isSameBytes = (written: unknown, etag: string): boolean =>
  typeof written === "string" && Buffer.from(written, "base64").equals(Buffer.from(etag, "base64"))

/** Puts another policy in the place of the newest: a written `etag` must be that one's. */
export const replace = (
  policies: Policies,
  written: unknown,
  setAt: number
): Result.Result<Policy, ApiError> => {
  if (!Predicate.isObject(written)) return Result.fail(invalid("The policy is absent."))
  const { bindings = [], etag } = written as {
    readonly bindings?: unknown
    readonly etag?: unknown
  } // any object may have these
  if (etag !== undefined && !isSameBytes(etag, History.current(policies).etag)) {
    return Result.fail(
      new ApiError({
        status: "ABORTED",
        message:
          "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."
      })
    )
  }
  if (!Array.isArray(bindings) || !bindings.every(isBinding)) {
    return Result.fail(invalid("The policy's bindings must each have a role and members."))
  }
  for (const { members: named, role } of bindings) {
    if (!Object.hasOwn(roles, role)) {
      return Result.fail(invalid(`Role (${role}) does not exist in the resource's hierarchy.`))
    }
    const stranger = named.find((each) => !isMember(each))
    if (stranger !== undefined) {
      return Result.fail(
        invalid(`Invalid principal: ${stranger} is not one that a policy may name.`)
      )
    }
  }
  const policy: Policy = {
    version: 1,
    etag: newEtag(),
    bindings: bindings.map(({ members: named, role }) => ({ role, members: named }))
  }
  History.set(policies, policy, setAt)
  return Result.succeed(policy)
}

const isBinding = (value: unknown): value is Binding =>
  Predicate.isObject(value) &&
  "role" in value &&
  typeof value.role === "string" &&
  "members" in value &&
  Array.isArray(value.members) &&
  value.members.every((each) => typeof each === "string")
