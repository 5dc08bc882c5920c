/** IAM's OIDC provider for the assertion's issuer, and the audience that it takes. */
import type { Iam } from "@federate/aws-sdk"
import { isMarked, readPolicy, side, tag } from "@federate/aws-sdk/trust"
import { inConfiguration, Misconfigured } from "@federate/core"
import type { Reason } from "@federate/core"
import type { Known, Resource } from "@federate/trust"
import * as Effect from "effect/Effect"
import { federating, list, withoutScheme } from "./trustPolicy.ts"

export interface Trusted {
  readonly iam: Iam
  readonly flow: string
  /** As it stands in ARNs. */
  readonly partition: string
}

/**
 * Whom AWS knows by itself: they are named in policies without a provider.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity
 */
const builtIn = new Set(["cognito-identity.amazonaws.com", "accounts.google.com"])

type Described = Effect.Success<ReturnType<typeof describe>>

const describe = (iam: Iam, arn: string) =>
  iam.call((client, sdk, abortSignal) =>
    client.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }), {
      abortSignal
    })
  )

const arnOf = ({ partition }: Trusted, { accountId, iss }: Known): string | undefined =>
  accountId === undefined || iss === undefined
    ? undefined
    : builtIn.has(withoutScheme(iss))
      ? withoutScheme(iss)
      : `arn:${partition}:iam::${accountId}:oidc-provider/${withoutScheme(iss)}`

interface Provider {
  readonly arn: string
  /** Nothing of those that AWS knows by itself. */
  readonly described: Described
}

const find = Effect.fnUntraced(function* (
  trusted: Trusted,
  known: Known
): Effect.fn.Return<Provider | undefined, Reason> {
  const arn = arnOf(trusted, known)
  if (arn === undefined) return yield* marked(trusted)
  if (builtIn.has(arn)) return { arn, described: undefined }
  const described = yield* describe(trusted.iam, arn)
  return described && { arn, described }
})

/** Where the issuer is not known any more, the one that bears our mark. */
const marked = Effect.fnUntraced(function* ({ flow, iam }: Trusted) {
  const all = yield* iam.call((client, sdk, abortSignal) =>
    client.send(new sdk.ListOpenIDConnectProvidersCommand({}), { abortSignal })
  )
  for (const { Arn: arn = "" } of all?.OpenIDConnectProviderList ?? []) {
    const described = yield* describe(iam, arn)
    if (isMarked(flow, described?.Tags)) return { arn, described }
  }
  return undefined
})

/** Of its audiences only ours matters: the others are other roles'. */
const audiences = (described: Described, aud: string | undefined): ReadonlyArray<string> => {
  const all = described?.ClientIDList ?? []
  return aud !== undefined && all.includes(aud) ? [aud] : all
}

const addAudience = (iam: Iam, arn: string, audience: string) =>
  iam.call((client, sdk, abortSignal) =>
    client.send(
      new sdk.AddClientIDToOpenIDConnectProviderCommand({
        OpenIDConnectProviderArn: arn,
        ClientID: audience
      }),
      { abortSignal }
    )
  )

/** Refuses to take away what others have come to need: an account has one provider for an issuer. */
const unused = Effect.fnUntraced(function* (iam: Iam, arn: string): Effect.fn.Return<void, Reason> {
  const users: Array<string> = []
  let marker: string | undefined
  do {
    const page = yield* iam.call((client, sdk, abortSignal) =>
      client.send(new sdk.ListRolesCommand({ ...(marker !== undefined && { Marker: marker }) }), {
        abortSignal
      })
    )
    for (const { AssumeRolePolicyDocument, RoleName = "" } of page?.Roles ?? []) {
      const trusts = federating(readPolicy(AssumeRolePolicyDocument))
      if (trusts.some(({ Principal }) => list(Principal.Federated).includes(arn)))
        users.push(RoleName)
    }
    marker = page?.IsTruncated === true ? page.Marker : undefined
  } while (marker !== undefined)
  if (users.length > 0) {
    return yield* Effect.fail(
      new Misconfigured({
        setting: `the OIDC provider ${arn}`,
        problem: `is still named by other roles: ${users.join(", ")}`,
        hint: `It is left there. Take this flow's mark off it, and it is kept: \`aws iam untag-open-id-connect-provider --open-id-connect-provider-arn ${arn} --tag-keys ${tag}\`; or remove those roles first.`
      })
    )
  }
})

/**
 * Makes `oidcProviderArn` known, and `oidcProvider`, by which conditions name it. One that is there is taken as it is,
 * whoever made it.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
 */
export const oidcProvider = (trusted: Trusted): Resource => {
  const { flow, iam } = trusted
  const told = inConfiguration("aws")
  return {
    side,
    kind: "OIDC provider",
    name: "of the assertion's issuer",
    makes: ["oidcProviderArn", "oidcProvider"],
    foresee: (_, { iss = "" }) => {
      const name = withoutScheme(iss)
      return Effect.succeed(builtIn.has(name) ? { oidcProviderArn: name, oidcProvider: name } : {})
    },
    own: ["clientIds", "tags"],
    desired: (of) => ({
      url: of("iss"),
      clientIds: [of("azp")],
      tags: { [tag]: flow }
    }),
    read: Effect.fnUntraced(function* (known) {
      const found = yield* find(trusted, known)
      if (found === undefined) return undefined
      const { arn, described } = found
      const isOurs = isMarked(flow, described?.Tags)
      const name = withoutScheme(described?.Url ?? arn)
      return {
        state: {
          url: `https://${name}`,
          clientIds: audiences(described, known["azp"]),
          tags: isOurs ? { [tag]: flow } : {}
        },
        known: { oidcProviderArn: arn, oidcProvider: name },
        isOurs
      }
    }, told),
    create: (_, { azp = "", iss = "" }) =>
      iam
        .call((client, sdk, abortSignal) =>
          client.send(
            new sdk.CreateOpenIDConnectProviderCommand({
              Url: iss,
              ClientIDList: [azp],
              Tags: [{ Key: tag, Value: flow }]
            }),
            { abortSignal }
          )
        )
        .pipe(Effect.asVoid, told),
    update: ({ known: { oidcProviderArn = "" } }, _, { azp = "" }) =>
      addAudience(iam, oidcProviderArn, azp).pipe(Effect.asVoid, told),
    remove: Effect.fnUntraced(function* ({ known: { oidcProviderArn = "" } }) {
      yield* unused(iam, oidcProviderArn)
      yield* iam.call((client, sdk, abortSignal) =>
        client.send(
          new sdk.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: oidcProviderArn }),
          { abortSignal }
        )
      )
    }, told)
  }
}

/**
 * The audience among those of the provider. In one that somebody else has made it is added, no other is touched, and it
 * stays when the trust is taken down, as other roles may need it by then.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html
 */
export const clientId = (trusted: Trusted): Resource => {
  const { iam } = trusted
  const told = inConfiguration("aws")
  return {
    side,
    kind: "OIDC client id",
    name: "of the assertion's audience",
    makes: [],
    own: [],
    desired: (of) => ({ clientId: of("azp") }),
    read: Effect.fnUntraced(function* (known) {
      const found = yield* find(trusted, known)
      const { azp } = known
      if (found === undefined || azp === undefined) return undefined
      const { arn, described } = found
      return builtIn.has(arn) || described?.ClientIDList?.includes(azp) === true
        ? { state: { clientId: azp }, known: {}, isOurs: isMarked(trusted.flow, described?.Tags) }
        : undefined
    }, told),
    create: (_, { azp = "", oidcProviderArn = "" }) =>
      addAudience(iam, oidcProviderArn, azp).pipe(Effect.asVoid, told),
    // It is what it is made of: one that differs is another.
    update: () => Effect.void,
    remove: Effect.fnUntraced(function* (_, { azp, oidcProviderArn = "" }) {
      yield* unused(iam, oidcProviderArn)
      yield* iam.call((client, sdk, abortSignal) =>
        client.send(
          new sdk.RemoveClientIDFromOpenIDConnectProviderCommand({
            OpenIDConnectProviderArn: oidcProviderArn,
            ClientID: azp
          }),
          { abortSignal }
        )
      )
    }, told)
  }
}
