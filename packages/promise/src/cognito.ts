/** Amazon Cognito identity pools: tokens of theirs as assertions, and AWS credentials of their roles. */
import * as Cognito from "@federate/cognito"
import { exchanger, meteredSource } from "./internal/plain.ts"

/** Developer identities: tokens of the pool for a user id of the workload's own, signed for with its AWS credentials. */
export const cognito = meteredSource(Cognito.source)

/** Public logins: another source's assertion logs in at the pool, without AWS credentials. */
export const cognitoLogin = meteredSource(Cognito.loginSource)

/** AWS credentials of the pool's role, for a token of the pool's own. */
export const cognitoCredentials = exchanger(Cognito.exchanger)

/** AWS credentials of the pool's role, for who logs in with another issuer's assertion. */
export const cognitoLoginCredentials = exchanger(Cognito.loginExchanger)
