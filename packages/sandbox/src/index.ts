/** Truthful local stand-ins for Cognito, IAM, STS, Entra and Microsoft Graph. */
export * as Fault from "./kernel/Fault.ts"
export type { Endpoint, Pattern, Service } from "./kernel/Endpoint.ts"
export type { Algorithm, Publish } from "./KeyRing.ts"
export type { TokenOptions } from "./issuer/Issuers.ts"
export type { AwsTrust, Options } from "./Options.ts"
export * as Sandbox from "./Sandbox.ts"
export { SandboxError } from "./SandboxError.ts"
