/**
 * OAuth 2.0 and OpenID Connect as Federate needs them: client credentials with a foreign assertion (RFC 7523 §2.2),
 * discovery, key sets with a cache, and the one strict JWT verifier.
 */
export { clientCredentials } from "./clientCredentials.ts"
export type { ClientCredentialsOptions } from "./clientCredentials.ts"
export { discover } from "./discovery.ts"
export type { DiscoverOptions, ProviderMetadata } from "./discovery.ts"
export { algorithms } from "./key.ts"
export { localKeys, remoteKeys } from "./KeySet.ts"
export type { KeyHeader, KeySet, RemoteKeysOptions } from "./KeySet.ts"
export { read as tokenAnswer, refusal } from "./tokenAnswer.ts"
export type { Refusal } from "./tokenAnswer.ts"
export { VerificationError } from "./VerificationError.ts"
export type { Check } from "./VerificationError.ts"
export { verify } from "./verify.ts"
export type { Verified, VerifyOptions } from "./verify.ts"
