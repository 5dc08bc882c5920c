/** A role's trust policy, and the OIDC providers that it names, read from IAM. */
import { makeIam } from "@federate/aws-sdk"
import { inConfiguration, readPolicy } from "@federate/aws-sdk/trust"
import { Malformed, Misconfigured } from "@federate/core"
import type { Reason } from "@federate/core"
import type { Platform } from "@federate/http"
import type { TrustReader } from "@federate/trust"
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

export const trustReader: TrustReader<Settings, Platform> = { type: "aws", read }
