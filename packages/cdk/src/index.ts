/** AWS CDK constructs for AWS's half of a trust: an identity that others can trust, and a role that trusts others. */
export { DeveloperIdentity } from "./DeveloperIdentity.ts"
export type { DeveloperIdentityProps } from "./DeveloperIdentity.ts"
export { WebIdentityRole } from "./WebIdentityRole.ts"
export type { WebIdentityRoleProps } from "./WebIdentityRole.ts"
