/**
 * Google Cloud's workload identity federation as token exchangers: Google's STS (RFC 8693), service account
 * impersonation and ID tokens, every error with its one fix, and Google's own credential configuration files.
 */
export { parseAudience } from "./audience.ts"
export type { Provider } from "./audience.ts"
export { byReason, byStatus, securityTokenService } from "./catalogue.ts"
export type { CatalogueEntry } from "./catalogue.ts"
export { exchanger } from "./exchanger.ts"
export type { Options } from "./exchanger.ts"
export { externalAccount } from "./externalAccount.ts"
export type {
  CredentialSource,
  ExternalAccount,
  ExternalAccountOptions
} from "./externalAccount.ts"
export { idTokenExchanger } from "./idTokenExchanger.ts"
export type { IdTokenOptions } from "./idTokenExchanger.ts"
export { externalAccountSource } from "./source.ts"
export type { SourceOptions } from "./source.ts"
