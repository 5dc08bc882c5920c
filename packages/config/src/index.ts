/**
 * `federate.yaml`, decoded strictly into flows: every problem with its path, `${VARIABLES}`, durations as people write
 * them, and the JSON Schema for editors. The app lists the adapters.
 */
export { decode } from "./Config.ts"
export type { Config, DecodeOptions, Sections } from "./Config.ts"
export { ConfigError } from "./ConfigError.ts"
export type { Problem } from "./ConfigError.ts"
export type { Settings } from "./decode.ts"
export type { Adapters, FlowDefinition, MakeOptions } from "./FlowDefinition.ts"
export { jsonSchema } from "./jsonSchema.ts"
export type { Learnt, TrustDefinition, TrustSides } from "./TrustDefinition.ts"
export type { Environment } from "./variables.ts"
