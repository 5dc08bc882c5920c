/**
 * AWS STS: as an assertion source, outbound web identity tokens about the workload's own IAM role; as a token exchanger,
 * temporary credentials of a role that trusts an assertion's issuer.
 */
export { exchanger } from "./exchanger.ts"
export type { ExchangerOptions } from "./exchanger.ts"
export { source } from "./source.ts"
export type { SourceOptions } from "./source.ts"
