/**
 * Amazon Cognito identity pools as an assertion source: developer identities, signed for with the workload's own AWS
 * credentials.
 */
export { source } from "./source.ts"
export type { Options } from "./source.ts"
