/**
 * Amazon Cognito identity pools: as an assertion source, developer identities that the workload's own AWS credentials sign
 * for, or identities that log in with another source's assertion; as a token exchanger, the pool's roles' credentials for
 * such an assertion.
 */
export { exchanger } from "./exchanger.ts"
export type { ExchangerOptions } from "./exchanger.ts"
export { loginSource } from "./loginSource.ts"
export type { LoginOptions } from "./loginSource.ts"
export { source } from "./source.ts"
export type { Options } from "./source.ts"
