/**
 * The AWS SDK's clients as adapters use them: loaded at the first call, over the guarded fetch, without retries; and
 * what the errors mean that all of AWS's services share.
 */
export { callerFinding } from "./caller.ts"
export { classify, hintOf, jsonError } from "./classify.ts"
export type { AwsError, Meanings } from "./classify.ts"
export { makeClient } from "./client.ts"
export type { Client, ClientOptions, Configuration } from "./client.ts"
export { makeIam } from "./iam.ts"
export type { Iam } from "./iam.ts"
export { queryError } from "./queryError.ts"
export { endOf } from "./endOf.ts"
