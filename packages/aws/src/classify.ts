/** What the errors of AWS STS mean: by their code, never by the text. */
import { classify as classifyAws, queryError } from "@federate/aws-sdk"
import type { Meanings } from "@federate/aws-sdk"
import type { Assertion, Reason, Remedy } from "@federate/core"
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"

const otherwise = "Look the error up in the AWS STS API reference."
const notSts = "The endpoint is not AWS STS: check `endpoint` and AWS_ENDPOINT_URL."

const common: Readonly<Record<string, string>> = {
  InvalidAction: notSts,
  UnknownOperationException: notSts
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html */
const tokenHints: Readonly<Record<string, string>> = {
  ...common,
  OutboundWebIdentityFederationDisabledException:
    "Outbound federation is off in this account (`aws sts get-caller-identity` tells which): `aws iam enable-outbound-web-identity-federation` switches it on, and tells the issuer that the other side must trust.",
  SessionDurationEscalationException:
    "The token would outlive the AWS session that asks for it: ask for less by `duration` (the least is 1 minute), or take longer sessions.",
  JWTPayloadSizeExceededException: "Take fewer or shorter `tags`.",
  AccessDenied:
    'The role needs `sts:GetWebIdentityToken` on "*", for the audience {audience} if its policy has the condition sts:IdentityTokenAudience, and `sts:TagGetWebIdentityToken` where `tags` are sent; policies of the organization and of a VPC endpoint may forbid it too.'
}

/** What is known of a request for a token. */
export type TokenFacts = Readonly<Record<"audience", string>>

/** What an answer to GetWebIdentityToken without a token means. */
export const classifyToken = (
  answer: HttpAnswer,
  facts: TokenFacts
): Effect.Effect<never, Reason> => classify(answer, tokenMeanings(facts))

/** What the errors of GetWebIdentityToken mean. */
export const tokenMeanings = (facts: TokenFacts) => ({ hints: tokenHints, otherwise, facts })

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
const roleHints: Readonly<Record<string, string>> = {
  ...common,
  AccessDenied:
    'Either there is no role {roleArn}, or its trust policy does not let this assertion in, and AWS never says which: it must allow {actions} to the principal {"Federated": "{provider}"}, with conditions that fit "{prefix}:aud" = "{checkedAudience}" and "{prefix}:sub" = "{subject}", to the letter.',
  InvalidIdentityToken:
    "The account {account} needs an OIDC provider for exactly {issuer} that lists the audience {checkedAudience}: `aws iam create-open-id-connect-provider --url {issuer} --client-id-list {checkedAudience}`; and AWS must reach {issuer}/.well-known/openid-configuration and the keys that it names over the internet.",
  ExpiredTokenException: "The assertion had ended when AWS read it.",
  IDPCommunicationError:
    "AWS could not reach {issuer}: its discovery document and keys must be public, on https, and answer quickly. It is tried again by itself.",
  IDPRejectedClaim: "The issuer {issuer} says that the assertion is not valid, or was revoked.",
  ValidationError:
    "A setting is out of its bounds, or `duration` is over the role's own maximum: the message names it; `aws iam get-role` tells the role's MaxSessionDuration.",
  MalformedPolicyDocument: "AWS cannot read `policy`: the message says where.",
  PackedPolicyTooLarge:
    "`policy`, `policyArns` and the assertion's session tags are too large together: make the policy shorter."
}

/** A role or provider that was just made is refused in these words until it has spread. */
const roleRemedies: Readonly<Record<string, Remedy>> = {
  AccessDenied: "waitForTrust",
  InvalidIdentityToken: "waitForTrust",
  ExpiredTokenException: "freshAssertion"
}

const absent = "(none)"

/** What an answer to AssumeRoleWithWebIdentity without credentials means. */
export const classifyRole = (
  answer: HttpAnswer,
  assertion: Assertion.Assertion,
  role: Role
): Effect.Effect<never, Reason> => classify(answer, roleMeanings(assertion, role))

/** As far as a role's ARN tells. */
export interface Role {
  readonly arn: string
  readonly account: string
  readonly partition: string
}

/** What the errors of AssumeRoleWithWebIdentity mean for an assertion and a role. */
export const roleMeanings = (
  {
    audience,
    claims,
    issuer = absent,
    subject = absent
  }: Pick<Assertion.Assertion, "audience" | "claims" | "issuer" | "subject">,
  role: Role
) => {
  const prefix = issuer.replace(/^https:\/\//, "")
  const actions = [
    "sts:AssumeRoleWithWebIdentity",
    ...(claims["https://aws.amazon.com/tags"] === undefined ? [] : ["sts:TagSession"]),
    ...(claims["https://aws.amazon.com/source_identity"] === undefined
      ? []
      : ["sts:SetSourceIdentity"])
  ]
  return {
    hints: roleHints,
    remedies: roleRemedies,
    otherwise,
    facts: {
      // What the token brings along takes rights of its own.
      actions: actions.join(" and "),
      roleArn: role.arn,
      account: role.account,
      provider: `arn:${role.partition}:iam::${role.account}:oidc-provider/${prefix}`,
      prefix,
      issuer,
      subject,
      // AWS looks at `azp` in its place, where there is one.
      checkedAudience:
        typeof claims["azp"] === "string"
          ? `${claims["azp"]} (the assertion's azp)`
          : audience.join(", ") || absent
    }
  }
}

/** What an answer to GetCallerIdentity without an account means: every caller may ask for it. */
export const classifyCaller = (answer: HttpAnswer): Effect.Effect<never, Reason> =>
  classify(answer, { hints: common, otherwise, facts: {} })

const classify = Effect.fnUntraced(function* <Facts extends Readonly<Record<string, string>>>(
  answer: HttpAnswer,
  meanings: Meanings<Facts>
): Effect.fn.Return<never, Reason> {
  return yield* Effect.fail(classifyAws(answer, yield* queryError(answer), meanings))
})
