/** What sources and exchangers are to who puts them together: made by this package's functions, and opaque. */
import type { AccessToken, Credential } from "./Credential.ts"

/** Where an assertion comes from: a signed statement about this workload. */
export interface AssertionSource {
  readonly kind: "source"
}

/** What trades an assertion for a credential. */
export interface TokenExchanger<out C extends Credential = AccessToken> {
  readonly kind: "exchanger"
  /** The kind of credential that it gives; nothing has this. */
  readonly gives?: C
}

/** AWS credentials of the workload's own, as the AWS SDK takes them. */
export interface AwsIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export type AwsIdentityProvider = AwsIdentity | (() => Promise<AwsIdentity>)

/** Any `fetch`: the platform's, one that goes through a proxy, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The value of an environment variable; nothing when it is not set, or empty. */
export type Environment = (name: string) => string | undefined
