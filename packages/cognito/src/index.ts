/**
 * Amazon Cognito identity pools: as an assertion source, developer identities that the workload's own AWS credentials sign
 * for, or identities that log in with another source's assertion; as a token exchanger, the pool's roles' credentials for
 * such an assertion, or for the login itself.
 */
export { exchanger } from "./exchanger.ts"
export type { ExchangerOptions } from "./exchanger.ts"
export { loginExchanger } from "./loginExchanger.ts"
export type { LoginExchangerOptions } from "./loginExchanger.ts"
export { loginSource } from "./loginSource.ts"
export type { LoginOptions } from "./loginSource.ts"
export { source } from "./source.ts"
export type { Options } from "./source.ts"
