/**
 * Assertion sources, token exchangers, and the flows made of them: the pure centre of Federate. It names no cloud, no
 * file and no environment variable, and stands on `effect` alone.
 */
export type * as Adapter from "./Adapter.ts"
export * as Assertion from "./Assertion.ts"
export * as AssertionSource from "./AssertionSource.ts"
export * as Credential from "./Credential.ts"
export type { AccessToken, AwsCredentials } from "./Credential.ts"
export {
  configured,
  FederationError,
  inConfiguration,
  Malformed,
  Misconfigured,
  Rejected,
  Transient,
  Unavailable
} from "./FederationError.ts"
export type { Reason, Reference, Remedy, Stage } from "./FederationError.ts"
export * as Flow from "./Flow.ts"
export * as FlowMetrics from "./FlowMetrics.ts"
export * as Lifetime from "./Lifetime.ts"
export * as RefreshPolicy from "./RefreshPolicy.ts"
export * as RetryAfter from "./RetryAfter.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as TokenExchanger from "./TokenExchanger.ts"
export * as TokenRequest from "./TokenRequest.ts"
