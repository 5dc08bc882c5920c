/**
 * The one guarded fetch: size and time bounded, no redirects, `Retry-After` and `Date` read, aborted on interruption.
 * It takes any `fetch`, and fails with the reasons of `FederationError`.
 */
export { challenges, claimsChallenge } from "./challenge.ts"
export type { Challenge } from "./challenge.ts"
export { endpoint, isLinkLocal, isLoopback } from "./endpoint.ts"
export { platformEnvironment, platformFetch, tlsFetch } from "./Fetch.ts"
export type { Environment, Fetch, Platform } from "./Fetch.ts"
export { nodeFetch } from "./nodeFetch.ts"
export type { NodeFetchOptions, TlsOptions } from "./nodeFetch.ts"
export { exchange, json, maximumSize, overloaded, send, unexpected } from "./answer.ts"
export type { Fault, HttpAnswer, HttpRequest, SendOptions } from "./answer.ts"
export { publicText } from "./text.ts"
