/**
 * Microsoft Entra ID as a token exchanger: client credentials with a federated assertion (RFC 7523 §2.2), for the app
 * itself or on behalf of a user, Entra's clouds, and every AADSTS code with its one fix.
 */
export { catalogue } from "./catalogue.ts"
export type { CatalogueEntry } from "./catalogue.ts"
export { cloudNames, clouds } from "./clouds.ts"
export type { Cloud, CloudName } from "./clouds.ts"
export type { ApplicationOptions } from "./application.ts"
export { exchanger } from "./exchanger.ts"
export type { Options } from "./exchanger.ts"
export { onBehalfOf } from "./onBehalfOf.ts"
export type { OnBehalfOfOptions } from "./onBehalfOf.ts"
