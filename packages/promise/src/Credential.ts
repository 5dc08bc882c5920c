/** What a flow hands out: plain values, with the secrets in them as plain text. */

/** Times are epoch milliseconds on this machine's clock. */
export interface Credential {
  /** When the request that brought it left. */
  readonly obtainedAt: number
  readonly expiresAt: number
  /** When the issuer advises to refresh; the flow does. */
  readonly refreshAt?: number
}

/** An OAuth access token (RFC 6749 §5.1), or whatever else a token endpoint issues (RFC 8693 §2.2.1). */
export interface AccessToken extends Credential {
  readonly token: string
  /** As it stands in a header: `Bearer`; `N_A` when it is not an access token. */
  readonly tokenType: string
  /** `urn:ietf:params:oauth:token-type:…` (RFC 8693 §3). */
  readonly issuedTokenType?: string
  readonly scopes?: ReadonlyArray<string>
}

/** Temporary AWS credentials. */
export interface AwsCredentials extends Credential {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** The 12 digits, when the issuer told. */
  readonly accountId?: string
}
