/** Azure SDKs' `TokenCredential`. */
import type { AbortSignalLike } from "./AbortSignalLike.ts"
import type { TokenFlow } from "./Flow.ts"

/** What `@azure/core-auth` calls `GetTokenOptions`, as far as it matters here. */
export interface GetTokenOptions {
  readonly abortSignal?: AbortSignalLike
  /** A claims challenge, as JSON text. */
  readonly claims?: string
  /** The tenant that a resource names in its challenge. */
  readonly tenantId?: string
}

/** `@azure/core-auth`'s `TokenCredential`. */
export interface TokenCredential {
  readonly getToken: (
    scopes: string | ReadonlyArray<string>,
    options?: GetTokenOptions
  ) => Promise<{
    readonly token: string
    /** Epoch milliseconds. */
    readonly expiresOnTimestamp: number
    readonly refreshAfterTimestamp?: number
    readonly tokenType: "Bearer"
  }>
}

/**
 * For every client of the Azure SDKs, and of Microsoft Graph. Challenges get a token that answers them: set the Entra
 * exchanger's `clientCapabilities` to `["cp1"]` for continuous access evaluation.
 *
 * @param flow a flow's tenant is its exchanger's; where resources of several tenants are called, a function that gives
 * the flow for the tenant that a challenge names
 */
export const toTokenCredential = (
  flow: TokenFlow | ((tenantId: string | undefined) => TokenFlow)
): TokenCredential => ({
  getToken: async (scopes, { abortSignal, claims, tenantId } = {}) => {
    const { getToken } = typeof flow === "function" ? flow(tenantId) : flow
    const { expiresAt, refreshAt, token } = await getToken(scopes, { claims, signal: abortSignal })
    return {
      token,
      expiresOnTimestamp: expiresAt,
      ...(refreshAt !== undefined && { refreshAfterTimestamp: refreshAt }),
      tokenType: "Bearer"
    }
  }
})
