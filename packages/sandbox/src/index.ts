/** Truthful local stand-ins for Cognito, IAM, STS, Entra, Microsoft Graph, Google Cloud, and any issuer or token endpoint. */
export * as Fault from "./kernel/Fault.ts"
export type { Endpoint, Pattern, Service } from "./kernel/Endpoint.ts"
export type { Algorithm, Publish } from "./KeyRing.ts"
export type { TokenOptions } from "./issuer/Issuers.ts"
export type { OAuthClient, Options, Trust } from "./Options.ts"
export * as Sandbox from "./Sandbox.ts"
export { SandboxError } from "./SandboxError.ts"
