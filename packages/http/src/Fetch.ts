/** The `fetch` that every adapter takes, and the ones that stand in where nobody brings his own. */
import type { TlsOptions } from "./nodeFetch.ts"

/** Any `fetch`: the platform's, one that goes through a proxy, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const proxyVariables = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"]

/**
 * The platform's, looked up at each call: who replaces it later is heard. Where the process's variables name a proxy, it
 * is gone through that, or as `NO_PROXY` says past it, over Node's own client.
 */
export const platformFetch: Fetch = async (url, init) => {
  if (!proxyVariables.some(platformEnvironment)) return globalThis.fetch(url, init)
  const { proxiedFetch } = await import("./proxy.ts")
  return proxiedFetch(platformEnvironment)(url, init)
}

/** The same over Node's own client, with a certificate to show or another CA to trust; a connection for each call. */
export const tlsFetch =
  (tls: TlsOptions): Fetch =>
  async (url, init) => {
    const { proxiedFetch } = await import("./proxy.ts")
    return proxiedFetch(platformEnvironment, tls)(url, init)
  }

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
