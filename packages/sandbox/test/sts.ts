/** STS by its stock client, and roles that others' assertions may assume. */
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  EnableOutboundWebIdentityFederationCommand,
  PutRolePolicyCommand
} from "@aws-sdk/client-iam"
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import type { AwsCredentials } from "@federate/core"
import type { Sandbox } from "@federate/sandbox"
import { assert } from "@effect/vitest"
import { Redacted } from "effect"
import { afterSigning, configuration, tampering } from "./aws.ts"
import type { ClientOptions } from "./aws.ts"
import { iamClient } from "./iam.ts"

export const stsClient = (sandbox: Sandbox.Sandbox, options: ClientOptions = {}) => {
  const client = new STSClient(configuration(sandbox, options))
  if (options.tamper) client.middlewareStack.add(tampering(options.tamper), afterSigning)
  return client
}

/** Who AWS says that a credential's holder is: an ARN. */
export const callerOf = async (
  sandbox: Sandbox.Sandbox,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials
): Promise<string> => {
  const keys = {
    accessKeyId,
    secretAccessKey: Redacted.value(secretAccessKey),
    sessionToken: Redacted.value(sessionToken)
  }
  const { Arn } = await stsClient(sandbox, { keys }).send(new GetCallerIdentityCommand({}))
  assert.isDefined(Arn)
  return Arn
}

/** Switches the account's own issuer on, and gives it. */
export const enableOutbound = async (sandbox: Sandbox.Sandbox): Promise<string> => {
  const { IssuerIdentifier } = await iamClient(sandbox).send(
    new EnableOutboundWebIdentityFederationCommand({})
  )
  assert.isDefined(IssuerIdentifier)
  return IssuerIdentifier
}

/** Lets IAM know an issuer; gives the provider's ARN. */
export const trustIssuer = async (
  sandbox: Sandbox.Sandbox,
  url: string,
  ...ClientIDList: ReadonlyArray<string>
): Promise<string> => {
  const { OpenIDConnectProviderArn } = await iamClient(sandbox).send(
    new CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: [...ClientIDList] })
  )
  assert.isDefined(OpenIDConnectProviderArn)
  return OpenIDConnectProviderArn
}

/** A trust policy that lets a provider's assertions in. */
export const federated = (
  Federated: string,
  Condition: Readonly<Record<string, unknown>> = {},
  Action: string | ReadonlyArray<string> = "sts:AssumeRoleWithWebIdentity"
): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Principal: { Federated }, Action, Condition }
  })

/** Gives its ARN. */
export const createRole = async (
  sandbox: Sandbox.Sandbox,
  RoleName: string,
  AssumeRolePolicyDocument: string,
  more: { readonly Path?: string; readonly MaxSessionDuration?: number } = {}
): Promise<string> => {
  const { Role } = await iamClient(sandbox).send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, ...more })
  )
  assert.isDefined(Role?.Arn)
  return Role.Arn
}

/** Lets a role do something, on everything. */
export const allow = (
  sandbox: Sandbox.Sandbox,
  RoleName: string,
  Action: string | ReadonlyArray<string>,
  Condition: Readonly<Record<string, unknown>> = {}
) =>
  iamClient(sandbox).send(
    new PutRolePolicyCommand({
      RoleName,
      PolicyName: "more",
      PolicyDocument: JSON.stringify({
        Statement: { Effect: "Allow", Action, Resource: "*", Condition }
      })
    })
  )
