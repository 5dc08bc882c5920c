/** AWS's halves of a trust: of whoever federates into AWS, and of AWS's workloads that federate elsewhere. */
import { makeIam } from "@federate/aws-sdk"
import { iamName, rolePolicy, usualName, workloadRole } from "@federate/aws-sdk/trust"
import { inConfiguration } from "@federate/core"
import type { Misconfigured } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Part, TrustSide } from "@federate/trust"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { callerAccount } from "./callerAccount.ts"
import type { ExchangerOptions } from "./exchanger.ts"
import { algorithms } from "./exchanger.ts"
import { attachedPolicy, federatedRole } from "./federatedRole.ts"
import type { Role } from "./federatedRole.ts"
import { clientId, oidcProvider } from "./oidcProvider.ts"
import { outboundFederation } from "./outboundFederation.ts"
import { partitionOf } from "./partition.ts"
import { misconfigured } from "./settings.ts"
import type { SourceOptions } from "./source.ts"

const exchangerNames = Schema.Struct({
  role: iamName(
    "The role's name, where the settings do not know its ARN yet; federate-<flow> without it",
    64
  ),
  policies: Schema.optionalKey(
    Schema.Array(Schema.String)
      .annotate({
        description:
          "Managed policies that the role gets: AWS's own by name, others by ARN; at most 10, and none without it",
        examples: [["AmazonS3ReadOnlyAccess"]]
      })
      .check(Schema.isMaxLength(10))
  )
})

/**
 * IAM's OIDC provider and role for an assertion. Ids by name: `accountId`, `oidcProviderArn`, `roleArn`.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc.html
 */
export const exchangerSide: TrustSide<
  typeof exchangerNames,
  typeof exchangerNames.Type,
  Pick<ExchangerOptions, "roleArn" | "region" | "endpoint" | "duration" | "audience">,
  Platform
> = {
  type: "aws",
  names: exchangerNames,
  provides: ["roleArn"],
  parts: Effect.fnUntraced(function* (config, names, { assertion, flow, platform }) {
    const { audience, duration, endpoint, region } = config
    const { policies = [] } = names
    const partition = partitionOf(region)
    const { account, ...role } = yield* Effect.fromResult(
      roleOf(config.roleArn, names.role ?? usualName(flow, 64), flow)
    ).pipe(inConfiguration("aws"))
    const iam = yield* makeIam(platform.fetch)
    const trusted = { iam, flow, partition: partition.name }
    const seconds = duration === undefined ? 0 : Duration.toSeconds(duration)
    return [
      yield* callerAccount({
        region,
        endpoint,
        expected: account === undefined ? undefined : { account, setting: "roleArn" },
        platform
      }),
      assertion(() => ({
        ...(audience !== undefined && { audience }),
        preferredAudience: partition.audience,
        algorithms
      })),
      oidcProvider(trusted),
      clientId(trusted),
      federatedRole(trusted, {
        ...role,
        maxSessionDuration: seconds > 3600 ? seconds : undefined
      }),
      ...[...new Set(policies)].map((policy) =>
        attachedPolicy(
          trusted,
          role.name,
          policy.startsWith("arn:") ? policy : `arn:${partition.name}:iam::aws:policy/${policy}`
        )
      )
    ] satisfies ReadonlyArray<Part>
  })
}

/** What an ARN says of the role; where a variable stands in its place that is not set yet, the role is new. */
const roleOf = (
  arn: string,
  usual: string,
  flow: string
): Result.Result<Role & { readonly account: string | undefined }, Misconfigured> => {
  const [, account, path, name] =
    /^arn:[\w-]+:iam::(\d{12}):role(\/|\/.+\/)([\w+=,.@-]{1,64})$/.exec(arn) ?? []
  if (account !== undefined && path !== undefined && name !== undefined) {
    return Result.succeed({ account, path, name, isNew: false })
  }
  return arn.startsWith("${")
    ? Result.succeed({ account: undefined, path: "/", name: usual, isNew: true })
    : misconfigured(
        "roleArn",
        `"${arn}" is no role's ARN`,
        `Write arn:aws:iam::ACCOUNT:role/NAME; or a variable that is not set yet, and trust.${flow}.exchanger.role.`
      )
}

const sourceNames = Schema.Struct({
  role: iamName(
    "The name of the IAM role that the workload runs as: it must be there; federate-workload without it",
    64
  ),
  policy: iamName("The name of the role's inline policy; federate-<flow> without it", 128),
  audiences: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description:
        "Whom the role may ask for tokens for; those of the source without it, and where it names none, anybody"
    })
  )
})

/**
 * What lets a role's workloads have tokens of the account's issuer. Ids by name: `workloadRoleArn`.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_getting_started.html
 */
export const sourceSide: TrustSide<
  typeof sourceNames,
  typeof sourceNames.Type,
  Pick<SourceOptions, "audiences" | "issuer" | "tags">,
  Platform
> = {
  type: "aws",
  names: sourceNames,
  provides: [],
  parts: Effect.fnUntraced(function* (config, names, { flow, platform }) {
    const { audiences = config.audiences, policy = usualName(flow, 128) } = names
    const iam = yield* makeIam(platform.fetch)
    const workload = { iam, adapter: "aws", flow, role: names.role ?? "federate-workload" }
    return [
      workloadRole(workload),
      outboundFederation(iam, config.issuer),
      rolePolicy(workload, policy, () => [
        {
          Action:
            config.tags === undefined
              ? "sts:GetWebIdentityToken"
              : ["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"],
          Resource: "*",
          ...(audiences !== undefined && { Condition: onlyFor(audiences) })
        }
      ])
    ] satisfies ReadonlyArray<Part>
  })
}

/** Each audience that is asked for must be among them; nobody may ask for none, of whom that would be true as well. */
const onlyFor = (audiences: ReadonlyArray<string>) => ({
  "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": audiences },
  Null: { "sts:IdentityTokenAudience": "false" }
})
