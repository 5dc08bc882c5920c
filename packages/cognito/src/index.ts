/**
 * Amazon Cognito identity pools: as an assertion source, developer identities that the workload's own AWS credentials sign
 * for; as a token exchanger, the pool's roles' credentials for such an assertion.
 */
export { exchanger } from "./exchanger.ts"
export type { ExchangerOptions } from "./exchanger.ts"
export { source } from "./source.ts"
export type { Options } from "./source.ts"
