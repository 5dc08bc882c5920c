/** AWS STS: tokens about the workload's own role as assertions, and credentials of a role that trusts an assertion. */
import * as Aws from "@federate/aws"
import { exchanger, meteredSource } from "./internal/plain.ts"

/** `GetWebIdentityToken`: a JWT of the AWS account's own issuer, signed for with the workload's AWS credentials. */
export const aws = meteredSource(Aws.source)

/** `AssumeRoleWithWebIdentity`: temporary credentials of a role that trusts the assertion's issuer. */
export const awsRole = exchanger(Aws.exchanger)
