/**
 * The local protocols that cloud SDKs already know, over flows, as one plain Node request listener: Azure App Service and
 * IMDS, GCE metadata, AWS container credentials and IMDSv2.
 */
export { make } from "./Broker.ts"
export type { Broker, Options } from "./Broker.ts"
export type { Audit, Handed, Refused } from "./Audit.ts"
export { restricted, secretlessProtocols } from "./BrokerConfig.ts"
export type { BrokerConfig, SecretlessProtocol } from "./BrokerConfig.ts"
export { listen } from "./listen.ts"
export type { Where } from "./listen.ts"
export type { Listener } from "./Listener.ts"
export { removeFile, replaceFile } from "./ownFile.ts"
export { misconfigured } from "./ServedFlow.ts"
export type { ServedAwsCredentials, ServedFlow, ServedTokens } from "./ServedFlow.ts"
export type { TokenFile } from "./tokenFile.ts"
export { servesAzure } from "./variables.ts"
