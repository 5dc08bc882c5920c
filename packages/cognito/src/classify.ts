/** What the errors of Amazon Cognito mean: by exception name, never by the text. */
import { classify as classifyAws, jsonError } from "@federate/aws-sdk"
import type { Reason } from "@federate/core"
import type { HttpAnswer } from "@federate/http"

/** What a hint may name, written `{name}`: this at least. */
export type Facts = Readonly<Record<"identityPoolId" | "region" | "provider", string>> &
  Readonly<Record<string, string>>

const policy =
  "The role needs `cognito-identity:GetOpenIdTokenForDeveloperIdentity` on the pool's ARN, …:cognito-identity:{region}:<account>:identitypool/{identityPoolId} (the pool's id, not its name)."

/** https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdTokenForDeveloperIdentity.html */
export const hints: Readonly<Record<string, string>> = {
  AccessDeniedException: policy,
  NotAuthorizedException: `Either the caller may not do this, or the login was not accepted. ${policy}`,
  ResourceNotFoundException:
    "There is no pool {identityPoolId} in {region} of this account, or no such identity in it: compare the id with `aws cognito-identity list-identity-pools --max-results 60 --region {region}`, and the account with `aws sts get-caller-identity`.",
  InvalidParameterException:
    "Most often the pool has another developer provider than {provider}: compare with `aws cognito-identity describe-identity-pool --identity-pool-id {identityPoolId}`, letter by letter.",
  InvalidIdentityPoolConfigurationException:
    "The pool has no role for its identities, or the role's trust policy does not let this pool in: `aws cognito-identity get-identity-pool-roles --identity-pool-id {identityPoolId}` tells which it is.",
  ResourceConflictException:
    "One of the logins is linked to another identity: leave `identityId` out, or the login that belongs elsewhere.",
  DeveloperUserAlreadyRegisteredException:
    "This user of {provider} has another identity than `identityId`: leave `identityId` out, or write the one that `aws cognito-identity lookup-developer-identity` tells.",
  UnknownOperationException:
    "The endpoint is not Amazon Cognito's identity pools: check `endpoint` and AWS_ENDPOINT_URL."
}

/**
 * What an answer that did not bring what was asked for means.
 *
 * @param own what some exceptions mean with this operation
 */
export const classify = (
  answer: HttpAnswer,
  facts: Facts,
  own: Readonly<Record<string, string>> = {}
): Reason =>
  classifyAws(answer, jsonError(answer), {
    hints: { ...hints, ...own },
    otherwise: "Look the exception up in the Amazon Cognito API reference.",
    facts
  })
