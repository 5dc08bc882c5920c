/** A role's trust policy, and the OIDC providers that it names, read from IAM. */
import { makeIam } from "@federate/aws-sdk"
import { readPolicy } from "@federate/aws-sdk/trust"
import { inConfiguration, Malformed, Misconfigured } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Problem, TrustReader } from "@federate/trust"
import { word } from "@federate/trust/shell"
import * as Effect from "effect/Effect"
import type { ExchangerOptions } from "./exchanger.ts"
import { federating, list } from "./trustPolicy.ts"

type Settings = Pick<ExchangerOptions, "roleArn">

/** `iam:GetRole` and `iam:GetOpenIDConnectProvider` will do, by the AWS SDK's own credentials. */
const read = Effect.fnUntraced(function* (
  { roleArn }: Settings,
  _: unknown,
  { fetch }: Platform
): Effect.fn.Return<ReadonlyArray<unknown>, Reason> {
  const iam = yield* makeIam(fetch)
  const got = yield* iam.call((client, sdk, abortSignal) =>
    client.send(new sdk.GetRoleCommand({ RoleName: nameOf(roleArn) }), { abortSignal })
  )
  if (got?.Role === undefined) return []
  const { Arn, AssumeRolePolicyDocument, RoleName } = got.Role
  if (Arn !== roleArn) return yield* Effect.fail(otherRole(roleArn, Arn))
  const policy = readPolicy(AssumeRolePolicyDocument)
  if (policy === undefined) return yield* Effect.fail(unreadable)
  const providers = yield* Effect.forEach(
    providersIn(policy),
    Effect.fnUntraced(function* (arn) {
      const provider = yield* iam.call((client, sdk, abortSignal) =>
        client.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }), {
          abortSignal
        })
      )
      return {
        Arn: arn,
        ...(provider && { Url: provider.Url, ClientIDList: provider.ClientIDList ?? [] })
      }
    })
  )
  return [{ Role: { RoleName, Arn, AssumeRolePolicyDocument: policy }, OIDCProviders: providers }]
}, inConfiguration("aws"))

/** The path before it is no part of a role's name. */
const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1)

const unreadable = new Malformed({ detail: "IAM's answer has no readable trust policy" })

/** Those that AWS knows by itself (`cognito-identity.amazonaws.com`) are none of the account's. */
const providersIn = (policy: unknown): ReadonlyArray<string> => [
  ...new Set(
    federating(policy)
      .flatMap(({ Principal }) => list(Principal.Federated))
      .filter((principal) => principal.includes(":oidc-provider/"))
  )
]

const otherRole = (wanted: string, found: string | undefined): Misconfigured =>
  new Misconfigured({
    setting: "roleArn",
    problem: `is ${wanted}, and these AWS credentials see ${found} by that name`,
    hint: "Take credentials of the role's own account (`aws sts get-caller-identity` tells whose they are); in the right account, the role's path is another."
  })

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html */
const missing = (
  { roleArn }: Settings,
  { audience: [audience = ""], issuer = "", subject = "" }: Assertion.Assertion
): Problem => {
  const prefix = issuer.replace(/^https:\/\//, "")
  const [partition, account] = /^arn:([\w-]+):iam::(\d+):/.exec(roleArn)?.slice(1) ?? []
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { Federated: `arn:${partition}:iam::${account}:oidc-provider/${prefix}` },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringEquals: { [`${prefix}:aud`]: audience, [`${prefix}:sub`]: subject } }
    }
  })
  const name = word(nameOf(roleArn))
  return {
    what: `There is no role ${roleArn}, or it lets no identity provider in`,
    fix: `Make it for this very token, if that is the workload that is meant: \`aws iam create-role --role-name ${name} --assume-role-policy-document ${word(policy)}\`; a role that is there takes the same by \`aws iam update-assume-role-policy --role-name ${name} --policy-document …\`.`
  }
}

export const trustReader: TrustReader<Settings, Platform> = { type: "aws", read, missing }
