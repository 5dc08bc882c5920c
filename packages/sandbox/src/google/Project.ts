/** The Google Cloud project: workload identity pools with their providers, service accounts, and who may do what. */
import { randomInt } from "node:crypto"
import type { Attributes } from "./Attributes.ts"
import * as Policy from "./Policy.ts"

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
export interface Provider {
  readonly id: string
  readonly displayName?: string
  readonly description?: string
  readonly disabled: boolean
  readonly attributeMapping: Readonly<Record<string, string>>
  readonly attributeCondition?: string
  readonly oidc: {
    readonly issuerUri: string
    readonly allowedAudiences?: ReadonlyArray<string>
    /** An uploaded key set, in the place of the issuer's published one. */
    readonly jwksJson?: string
  }
  readonly attributes: Attributes
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly deletedAt?: number
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
export interface Pool {
  readonly id: string
  readonly displayName?: string
  readonly description?: string
  readonly disabled: boolean
  readonly createdAt: number
  readonly deletedAt?: number
  readonly providers: Map<string, Provider>
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export interface ServiceAccount {
  readonly email: string
  /** 21 digits. */
  readonly uniqueId: string
  readonly displayName?: string
  readonly description?: string
  readonly createdAt: number
  readonly policy: Policy.Policies
}

export interface Project {
  readonly id: string
  readonly number: string
  readonly pools: Map<string, Pool>
  /** By e-mail. */
  readonly serviceAccounts: Map<string, ServiceAccount>
  readonly policy: Policy.Policies
  /** By name, as they are when they are done. */
  readonly operations: Map<string, object>
}

const digits = (length: number): string =>
  Array.from({ length }, (_, index) => randomInt(index === 0 ? 1 : 0, 10)).join("")

/** @param administrator the user who may do everything */
export const make = (administrator: string): Project => ({
  id: "federate-sandbox",
  number: digits(12),
  pools: new Map(),
  serviceAccounts: new Map(),
  policy: Policy.begin([{ role: "roles/owner", members: [`user:${administrator}`] }]),
  operations: new Map()
})

export const newUniqueId = (): string => `1${digits(20)}`

/** The pool's full name, without a host. */
export const poolName = ({ number }: Project, pool: string): string =>
  `projects/${number}/locations/global/workloadIdentityPools/${pool}`

/** By e-mail or unique id. */
export const findServiceAccount = (
  { serviceAccounts }: Project,
  name: string
): ServiceAccount | undefined =>
  serviceAccounts.get(name) ?? [...serviceAccounts.values()].find((one) => one.uniqueId === name)
