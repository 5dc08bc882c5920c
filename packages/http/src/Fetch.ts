/** Any `fetch`: the platform's, one that goes through a proxy, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The platform's, looked up at each call: who replaces it later is heard. */
export const platformFetch: Fetch = (url, init) => globalThis.fetch(url, init)

/** The value of an environment variable; nothing when it is not set, or empty. */
export type Environment = (name: string) => string | undefined

/** The process's, looked up at each call. */
export const platformEnvironment: Environment = (name) => process.env[name] || undefined

/** What an app lends to every adapter that its config file names. */
export interface Platform {
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}
