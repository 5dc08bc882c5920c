/** Assertion sources for the platform that a workload already runs on: each gives the token that it finds there. */
export { azureManagedIdentity } from "./azureManagedIdentity.ts"
export type { AzureManagedIdentityOptions } from "./azureManagedIdentity.ts"
export { googleMetadata } from "./googleMetadata.ts"
export type { GoogleMetadataOptions } from "./googleMetadata.ts"
export { spiffe } from "./spiffe.ts"
export type { SpiffeOptions } from "./spiffe.ts"
export { vault } from "./vault.ts"
export type { VaultOptions } from "./vault.ts"
