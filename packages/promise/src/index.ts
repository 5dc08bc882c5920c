/**
 * Federate for who awaits promises: a source of assertions, an exchanger, and the flow that hands out credentials, in the
 * interfaces that SDKs take. Sources and exchangers are in the subpaths, one for each cloud.
 */
export type { AbortSignalLike } from "./AbortSignalLike.ts"
export type {
  AssertionSource,
  AwsIdentity,
  AwsIdentityProvider,
  Environment,
  Fetch,
  TokenExchanger
} from "./adapters.ts"
export { createFlow } from "./createFlow.ts"
export type {
  CallOptions,
  Flow,
  FlowOptions,
  RefreshOptions,
  RetryOptions,
  TokenFlow,
  TokenOptions,
  TokenRequest
} from "./Flow.ts"
export type { AccessToken, AwsCredentials, Credential } from "./Credential.ts"
export type { Duration } from "./Duration.ts"
export { FederationError } from "./FederationError.ts"
export type {
  FederationErrorFields,
  Malformed,
  Misconfigured,
  Reason,
  Rejected,
  Stage,
  Transient,
  Unavailable
} from "./FederationError.ts"
export { cached, firstAvailable, fromFlow, fromFunction } from "./sources.ts"
export type { AssertionRequest } from "./sources.ts"
export { toAwsCredentialProvider } from "./toAwsCredentialProvider.ts"
export type { AwsCredentialIdentity } from "./toAwsCredentialProvider.ts"
export { toFetch } from "./toFetch.ts"
export type { AuthorizedFetch, FetchOptions } from "./toFetch.ts"
export { toGoogleRefreshHandler, toSubjectTokenSupplier } from "./toGoogle.ts"
export type { SubjectTokenSupplier } from "./toGoogle.ts"
export { toTokenCredential } from "./toTokenCredential.ts"
export type { GetTokenOptions, TokenCredential } from "./toTokenCredential.ts"
