/** Amazon Cognito's half of a trust: an identity pool, and the workload's role that may take its assertions. */
import type { IdentityPool, ListIdentityPoolsCommandOutput } from "@aws-sdk/client-cognito-identity"
import { makeIam } from "@federate/aws-sdk"
import { iamName, rolePolicy, side, tag, workloadRole } from "@federate/aws-sdk/trust"
import { inConfiguration as failing, Misconfigured } from "@federate/core"
import type { FederationError } from "@federate/core"
import { platformEnvironment } from "@federate/http"
import type { Platform } from "@federate/http"
import type { Known, Part, Resource, TrustSide } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { classify } from "./classify.ts"
import { makeClient } from "./client.ts"
import type { Cognito } from "./client.ts"
import { regionOf } from "./pool.ts"
import { developerProviderOf } from "./source.ts"

const names = Schema.Struct({
  identityPoolName: iamName("The identity pool's name; federate-<flow> without it", 128),
  role: iamName(
    "The name of the IAM role that the workload runs as: it must be there; federate-workload without it",
    64
  ),
  policy: iamName("The name of the role's inline policy; federate-<flow> without it", 128),
  region: Schema.optionalKey(
    Schema.String.annotate({ description: "Where the pool is made; AWS_REGION without it" })
  )
})

interface Config {
  readonly logins: Readonly<Record<string, unknown>>
  readonly region?: string
  readonly endpoint?: string
}

/**
 * Ids by name: `workloadRoleArn`, `identityPoolId`, `identityPoolArn`.
 *
 * https://docs.aws.amazon.com/cognito/latest/developerguide/developer-authenticated-identities.html
 */
export const sourceSide: TrustSide<typeof names, typeof names.Type, Config, Platform> = {
  type: "cognito",
  names,
  provides: ["identityPoolId"],
  parts: Effect.fnUntraced(function* (config, chosen, { flow, platform }) {
    const usual = `federate-${flow}`
    const { identityPoolName = usual, policy = usual, role = "federate-workload" } = chosen
    const environment = platform.environment ?? platformEnvironment
    const iam = yield* makeIam(platform.fetch)
    const workload = { iam, adapter: "cognito", flow, role }
    return [
      workloadRole(workload),
      identityPool({
        flow,
        identityPoolName,
        developerProvider: yield* inConfiguration(
          Effect.fromResult(developerProviderOf(Object.keys(config.logins)))
        ),
        region:
          chosen.region ??
          config.region ??
          environment("AWS_REGION") ??
          environment("AWS_DEFAULT_REGION"),
        endpoint: config.endpoint,
        platform
      }),
      rolePolicy(workload, policy, (of) => [
        {
          Action: ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:GetId"],
          Resource: of("identityPoolArn")
        }
      ])
    ] satisfies ReadonlyArray<Part>
  })
}

const inConfiguration = failing("cognito")

const misconfigured = (setting: string, problem: string, hint: string) =>
  inConfiguration(Effect.fail(new Misconfigured({ setting, problem, hint })))

interface Pool {
  readonly flow: string
  readonly identityPoolName: string
  readonly developerProvider: string
  readonly region: string | undefined
  readonly endpoint: string | undefined
  readonly platform: Platform
}

/** https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_IdentityPool.html */
const identityPool = (wanted: Pool): Resource => {
  const { developerProvider, flow, identityPoolName } = wanted

  /** One call, in the pool's region. */
  const call = Effect.fnUntraced(function* <Output>(
    { identityPoolId }: Known,
    send: (cognito: Cognito, signal: AbortSignal) => Promise<Output>
  ) {
    const region =
      identityPoolId === undefined
        ? wanted.region
        : yield* inConfiguration(Effect.fromResult(regionOf(identityPoolId)))
    if (region === undefined) {
      return yield* misconfigured(
        "AWS_REGION",
        "is not set, and the identity pool must be made somewhere",
        `Set it, or write trust.${flow}.source.region.`
      )
    }
    const { endpoint, platform } = wanted
    const client = yield* makeClient({ region, endpoint, fetch: platform.fetch })
    const { answer, output } = yield* inConfiguration(client.call(send))
    if (output !== undefined) return output
    const facts = {
      identityPoolId: identityPoolId ?? identityPoolName,
      region,
      provider: developerProvider
    }
    return yield* inConfiguration(Effect.fail(classify(answer, facts, hints)))
  })

  const describe = (identityPoolId: string) =>
    orNothing(
      call({ identityPoolId }, ({ client, sdk }, abortSignal) =>
        client.send(new sdk.DescribeIdentityPoolCommand({ IdentityPoolId: identityPoolId }), {
          abortSignal
        })
      )
    )

  const isMarked = (pool: IdentityPool | undefined): boolean =>
    pool?.IdentityPoolTags?.[tag] === flow

  /** The one of that name; where there are several, the one that bears our mark. */
  const named = Effect.fnUntraced(function* () {
    const ids: Array<string> = []
    let next: string | undefined
    do {
      const page: ListIdentityPoolsCommandOutput = yield* call({}, ({ client, sdk }, abortSignal) =>
        client.send(
          new sdk.ListIdentityPoolsCommand({
            MaxResults: 60,
            ...(next !== undefined && { NextToken: next })
          }),
          { abortSignal }
        )
      )
      for (const { IdentityPoolId: id, IdentityPoolName: name } of page.IdentityPools ?? []) {
        if (name === identityPoolName && id !== undefined) ids.push(id)
      }
      next = page.NextToken
    } while (next !== undefined)
    const pools = yield* Effect.forEach(ids, describe)
    const ours = pools.filter(isMarked)
    const [first, ...more] = ours.length > 0 ? ours : pools
    if (more.length === 0) return first
    return yield* misconfigured(
      `trust.${flow}.source.identityPoolName`,
      `${more.length + 1} identity pools are called "${identityPoolName}": ${ids.join(", ")}`,
      "Write the id of the one that is meant in `identityPoolId`, or choose another name."
    )
  })

  return {
    side,
    kind: "identity pool",
    name: identityPoolName,
    makes: ["identityPoolId", "identityPoolArn"],
    own: ["identityPoolName", "allowUnauthenticatedIdentities", "tags"],
    desired: () => ({
      identityPoolName,
      developerProviderName: developerProvider,
      allowUnauthenticatedIdentities: false,
      tags: { [tag]: flow }
    }),
    read: Effect.fnUntraced(function* ({ identityPoolId, workloadRoleArn = "" }) {
      const pool = yield* identityPoolId === undefined ? named() : describe(identityPoolId)
      const id = pool?.IdentityPoolId
      if (pool === undefined || id === undefined) return undefined
      const [, partition, , , account] = workloadRoleArn.split(":")
      const [region] = id.split(":")
      return {
        state: {
          identityPoolName: pool.IdentityPoolName,
          developerProviderName: pool.DeveloperProviderName,
          allowUnauthenticatedIdentities: pool.AllowUnauthenticatedIdentities,
          tags: pool.IdentityPoolTags ?? {}
        },
        known: {
          identityPoolId: id,
          ...(account !== undefined && {
            identityPoolArn: `arn:${partition}:cognito-identity:${region}:${account}:identitypool/${id}`
          })
        },
        isOurs: isMarked(pool)
      }
    }),
    create: (_, known) =>
      Effect.asVoid(
        call(known, ({ client, sdk }, abortSignal) =>
          client.send(
            new sdk.CreateIdentityPoolCommand({
              IdentityPoolName: identityPoolName,
              AllowUnauthenticatedIdentities: false,
              DeveloperProviderName: developerProvider,
              IdentityPoolTags: { [tag]: flow }
            }),
            { abortSignal }
          )
        )
      ),
    update: Effect.fnUntraced(function* ({ known: { identityPoolId = "" } }) {
      const pool = yield* describe(identityPoolId)
      const there = pool?.DeveloperProviderName
      if (there !== undefined && there !== developerProvider) {
        return yield* misconfigured(
          "logins",
          `name the developer provider ${developerProvider}, and the pool's is ${there}, which cannot be changed`,
          `Write ${there} in \`logins\`, or choose another pool: trust.${flow}.source.identityPoolName.`
        )
      }
      yield* call({ identityPoolId }, ({ client, sdk }, abortSignal) =>
        client.send(
          new sdk.UpdateIdentityPoolCommand({
            // What is not said is taken away.
            ...pool,
            IdentityPoolId: identityPoolId,
            IdentityPoolName: identityPoolName,
            AllowUnauthenticatedIdentities: false,
            DeveloperProviderName: developerProvider
          }),
          { abortSignal }
        )
      )
    }),
    remove: ({ known: { identityPoolId = "" } }) =>
      Effect.asVoid(
        orNothing(
          call({ identityPoolId }, ({ client, sdk }, abortSignal) =>
            client.send(new sdk.DeleteIdentityPoolCommand({ IdentityPoolId: identityPoolId }), {
              abortSignal
            })
          )
        )
      )
  }
}

const orNothing = <A>(found: Effect.Effect<A, FederationError>) =>
  Effect.catchIf(
    found,
    ({ reason }) => reason._tag === "Rejected" && reason.code === "ResourceNotFoundException",
    () => Effect.undefined
  )

const hints: Readonly<Record<string, string>> = {
  AccessDeniedException:
    "To set a pool up takes cognito-identity:ListIdentityPools, DescribeIdentityPool, CreateIdentityPool, TagResource, UpdateIdentityPool and DeleteIdentityPool; the message names the one. Whose rights these are: `aws sts get-caller-identity`.",
  LimitExceededException:
    "The account has no room for another identity pool: delete one that nobody needs, or ask for a higher quota."
}
