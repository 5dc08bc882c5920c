/** What google-auth-library takes: tokens for its `OAuth2Client`, or assertions for its own exchange. */
import type { TokenFlow } from "./Flow.ts"

/** For an `OAuth2Client`'s `refreshHandler`: an `AuthClient` for every client of Google's that takes one. */
export const toGoogleRefreshHandler =
  (
    flow: TokenFlow,
    scopes?: string | ReadonlyArray<string>
  ): (() => Promise<{ readonly access_token: string; readonly expiry_date: number }>) =>
  async () => {
    const { expiresAt, token } = await flow.getToken(scopes)
    return { access_token: token, expiry_date: expiresAt }
  }

/** google-auth-library's `SubjectTokenSupplier`. */
export interface SubjectTokenSupplier {
  readonly getSubjectToken: (context: { readonly audience: string }) => Promise<string>
}

/**
 * For an `IdentityPoolClient`'s `subject_token_supplier`, which trades the tokens by itself: take a flow without an
 * exchanger. A source that can choose is asked for the audience that the provider's pool has by default.
 */
export const toSubjectTokenSupplier = (flow: TokenFlow): SubjectTokenSupplier => ({
  getSubjectToken: async ({ audience }) => {
    const { token } = await flow.getToken(undefined, {
      audience: audience.replace(/^\/\//, "https://")
    })
    return token
  }
})
