/**
 * Amazon Cognito Identity (identity pools), over AWS JSON 1.1.
 *
 * https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/Welcome.html
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Account from "../aws/Account.ts"
import { AwsError, imposed, jsonProtocol } from "../aws/AwsError.ts"
import * as Condition from "../aws/Condition.ts"
import * as Policy from "../aws/Policy.ts"
import * as Shape from "../aws/Shape.ts"
import * as SigV4 from "../aws/SigV4.ts"
import { cognitoPrincipal } from "../aws/WebIdentity.ts"
import type { WebIdentities } from "../aws/WebIdentity.ts"
import * as Endpoint from "../kernel/Endpoint.ts"
import type { Request } from "../kernel/Http.ts"
import * as History from "../kernel/History.ts"
import type { Service } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as IdentityPools from "./IdentityPools.ts"
import * as Issuer from "./Issuer.ts"
import * as PublicLogins from "./PublicLogins.ts"
import { notAuthorized } from "./PublicLogins.ts"

export interface Options {
  /** The account, and whose assertions it believes. */
  readonly identities: WebIdentities
  readonly pools: IdentityPools.IdentityPools
  readonly issuer: Issuer.Issuer
  readonly clock: ServiceClock
}

/** GetOpenIdTokenForDeveloperIdentity's default `TokenDuration`, in seconds. */
const defaultDuration = 900

/** How long the tokens of GetOpenIdToken last, in seconds. */
const publicDuration = 600

/** How long the credentials of GetCredentialsForIdentity last, in milliseconds. */
const credentialsLifetime = 3_600_000

const id = Shape.string({ min: 1, max: 55, pattern: "[\\w-]+:[0-9a-f-]+" })
const loginsByProvider = Shape.map({ max: 10 }, { min: 1, max: 128 }, { min: 1, max: 50_000 })
const pageSize = Shape.integer({ min: 1, max: 60 })
const pageToken = Shape.string({ min: 1, max: 65_535, pattern: "[\\S]+" })
const developerUser = Shape.string({ min: 1, max: 1024 })

const settings = {
  IdentityPoolName: Shape.string({ min: 1, max: 128, pattern: "[\\w\\s+=,.@-]+" }),
  AllowUnauthenticatedIdentities: Shape.boolean,
  AllowClassicFlow: Shape.optional(Shape.boolean),
  DeveloperProviderName: Shape.optional(Shape.string({ min: 1, max: 128, pattern: "[\\w._-]+" })),
  SupportedLoginProviders: Shape.optional(
    Shape.map({ max: 10 }, { min: 1, max: 128 }, { min: 1, max: 128 })
  ),
  OpenIdConnectProviderARNs: Shape.optional(Shape.list),
  CognitoIdentityProviders: Shape.optional(Shape.list),
  SamlProviderARNs: Shape.optional(Shape.list),
  IdentityPoolTags: Shape.optional(Shape.map({ max: 50 }, { min: 1, max: 128 }, { max: 256 }))
}

type Operation = (request: Request, now: number) => Effect.Effect<unknown, AwsError>

/** An operation that takes no signature. */
const unsigned =
  <M extends Shape.Members>(
    members: M,
    run: (input: Shape.Structure<M>, now: number) => Effect.Effect<unknown, AwsError>
  ): Operation =>
  (request, now) =>
    Effect.flatMap(decode(members, request), (input) => run(input, now))

export const make = ({ clock, identities, issuer, pools }: Options): Service => {
  const { account } = identities
  const arn = (poolId: string): string =>
    `arn:aws:cognito-identity:${account.region}:${account.id}:identitypool/${poolId}`

  /** An operation on a pool, or on all where the input names none, that the signer's role must allow. */
  const signed = <M extends Shape.Members>(
    action: string,
    members: M,
    run: (input: Shape.Structure<M>, now: number) => Effect.Effect<unknown, AwsError>
  ): Operation =>
    Effect.fnUntraced(function* (request, now) {
      const caller = yield* SigV4.verify(request, { account, service: "cognito-identity", now })
      const input = yield* decode(members, request)
      const resource = "IdentityPoolId" in input ? arn(`${input.IdentityPoolId}`) : "*"
      yield* Account.authorize(account, { caller, now }, `cognito-identity:${action}`, resource)
      // The other regions have no pools, and make none.
      if (SigV4.regionOf(request) !== account.region) {
        return yield* "IdentityPoolId" in input
          ? notFound(`IdentityPool '${input.IdentityPoolId}' not found.`)
          : new AwsError({
              code: "InvalidSignatureException",
              message: "Credential should be scoped to a valid region."
            })
      }
      return yield* run(input, now)
    })

  const findPool = Effect.fnUntraced(function* (poolId: string) {
    const pool = pools.get(poolId)
    return pool ?? (yield* notFound(`IdentityPool '${poolId}' not found.`))
  })

  const findIdentity = Effect.fnUntraced(function* (identityId: string) {
    const found = IdentityPools.poolOf(pools, identityId)
    return found ?? (yield* notFound(`Identity '${identityId}' not found.`))
  })

  const findIdentityIn = Effect.fnUntraced(function* (
    pool: IdentityPools.IdentityPool,
    identityId: string
  ) {
    const identity = pool.identities.get(identityId)
    return identity ?? (yield* notFound(`Identity '${identityId}' not found.`))
  })

  /** Public logins into an identity that at least one of them is linked to, or a guest's; gives the `amr`. */
  const logInto = Effect.fnUntraced(function* (
    pool: IdentityPools.IdentityPool,
    identity: IdentityPools.Identity,
    given: Readonly<Record<string, string>>,
    now: number
  ) {
    const logins = yield* PublicLogins.verify(identities, pool, given, now)
    if (logins.length > 0) {
      if (!logins.some(({ name }) => pool.publicLogins.get(name) === identity)) {
        return yield* notAuthorized(
          "Logins don't match. Please include at least one valid login for this identity or identity pool."
        )
      }
      yield* linkTo(pool, identity, logins)
    } else if (identity.isLinked) {
      return yield* notAuthorized(`Access to Identity '${identity.id}' is forbidden.`)
    } else if (!pool.settings.AllowUnauthenticatedIdentities) {
      return yield* noGuests
    }
    return amrOf(logins)
  })

  const operations: Readonly<Record<string, Operation>> = {
    CreateIdentityPool: signed("CreateIdentityPool", settings, (input) =>
      Effect.sync(() => describe(IdentityPools.addPool(pools, account.region, input)))
    ),

    UpdateIdentityPool: signed(
      "UpdateIdentityPool",
      { IdentityPoolId: id, ...settings },
      Effect.fnUntraced(function* ({ IdentityPoolId, ...changed }) {
        const pool = yield* findPool(IdentityPoolId)
        const { DeveloperProviderName: provider } = pool.settings
        if (provider !== undefined && changed.DeveloperProviderName !== provider) {
          return yield* invalidParameter(
            "The developer provider name of an identity pool cannot be changed."
          )
        }
        // What is not said is taken away.
        pool.settings = changed
        return describe(pool)
      })
    ),

    DescribeIdentityPool: signed("DescribeIdentityPool", { IdentityPoolId: id }, (input) =>
      Effect.map(findPool(input.IdentityPoolId), describe)
    ),

    DeleteIdentityPool: signed("DeleteIdentityPool", { IdentityPoolId: id }, (input) =>
      Effect.map(findPool(input.IdentityPoolId), (pool) => void pools.delete(pool.id))
    ),

    ListIdentityPools: signed(
      "ListIdentityPools",
      { MaxResults: pageSize, NextToken: Shape.optional(pageToken) },
      (input) =>
        Effect.map(page([...pools.values()], input.MaxResults, input.NextToken), (found) => ({
          IdentityPools: found.items.map((pool) => ({
            IdentityPoolId: pool.id,
            IdentityPoolName: pool.settings.IdentityPoolName
          })),
          ...found.next
        }))
    ),

    SetIdentityPoolRoles: signed(
      "SetIdentityPoolRoles",
      {
        IdentityPoolId: id,
        Roles: Shape.map({ max: 2 }, { pattern: "(un)?authenticated" }, { min: 20, max: 2048 }),
        RoleMappings: Shape.optional(Shape.any)
      },
      Effect.fnUntraced(function* (input) {
        const pool = yield* findPool(input.IdentityPoolId)
        if (input.RoleMappings !== undefined) {
          return yield* invalidParameter("The sandbox does not know RoleMappings.")
        }
        pool.roles = input.Roles
      })
    ),

    GetIdentityPoolRoles: signed("GetIdentityPoolRoles", { IdentityPoolId: id }, (input) =>
      Effect.map(findPool(input.IdentityPoolId), (pool) => ({
        IdentityPoolId: pool.id,
        Roles: pool.roles
      }))
    ),

    GetOpenIdTokenForDeveloperIdentity: signed(
      "GetOpenIdTokenForDeveloperIdentity",
      {
        IdentityPoolId: id,
        IdentityId: Shape.optional(id),
        Logins: loginsByProvider,
        PrincipalTags: Shape.optional(
          Shape.map({ max: 50 }, { min: 1, max: 128 }, { min: 1, max: 256 })
        ),
        TokenDuration: Shape.optional(Shape.integer({ min: 1, max: 86_400 }))
      },
      Effect.fnUntraced(function* (input, now) {
        const pool = yield* findPool(input.IdentityPoolId)
        const { provider, user, others } = yield* developerLogin(pool, input.Logins)
        const logins = yield* PublicLogins.verify(identities, pool, others, now)
        const known = pool.developerUsers.get(user)
        if (input.IdentityId !== undefined) {
          const identity = yield* findIdentityIn(pool, input.IdentityId)
          if (known !== undefined && known !== identity) {
            return yield* new AwsError({
              code: "DeveloperUserAlreadyRegisteredException",
              message: "Developer user identifier is already registered with another identity."
            })
          }
          IdentityPools.link(pool, identity, user)
        }
        const identity = IdentityPools.identityOf(pool, account.region, user)
        yield* linkTo(pool, identity, logins)
        const token = yield* Issuer.mint(issuer, {
          pool,
          poolArn: arn(pool.id),
          identity,
          amr: amrOf([...logins, { provider, name: `${provider}:${pool.id}:${user}` }]),
          duration: input.TokenDuration ?? defaultDuration,
          ...(input.PrincipalTags && { principalTags: input.PrincipalTags }),
          now
        })
        return { IdentityId: identity.id, Token: token }
      })
    ),

    LookupDeveloperIdentity: signed(
      "LookupDeveloperIdentity",
      {
        IdentityPoolId: id,
        IdentityId: Shape.optional(id),
        DeveloperUserIdentifier: Shape.optional(developerUser),
        MaxResults: Shape.optional(pageSize),
        NextToken: Shape.optional(pageToken)
      },
      Effect.fnUntraced(function* (input) {
        const pool = yield* findPool(input.IdentityPoolId)
        const { DeveloperUserIdentifier: user, IdentityId: identityId } = input
        const byUser = user === undefined ? undefined : pool.developerUsers.get(user)
        if (user !== undefined && byUser === undefined) {
          return yield* notFound(`Developer user '${user}' not found.`)
        }
        const identity = identityId === undefined ? byUser : yield* findIdentityIn(pool, identityId)
        if (identity === undefined) {
          return yield* invalidParameter(
            "Either IdentityId or DeveloperUserIdentifier must be specified."
          )
        }
        if (byUser !== undefined && byUser !== identity) {
          return yield* new AwsError({
            code: "ResourceConflictException",
            message: "The developer user identifier belongs to another identity."
          })
        }
        const found = yield* page(
          [...identity.developerUsers],
          input.MaxResults ?? 60,
          input.NextToken
        )
        return {
          IdentityId: identity.id,
          DeveloperUserIdentifierList: found.items,
          ...found.next
        }
      })
    ),

    GetId: unsigned(
      {
        IdentityPoolId: id,
        Logins: Shape.optional(loginsByProvider),
        AccountId: Shape.optional(Shape.string({ min: 1, max: 15, pattern: "\\d+" }))
      },
      Effect.fnUntraced(function* (input, now) {
        const pool = yield* findPool(input.IdentityPoolId)
        const { Logins: given = {} } = input
        if (cognitoPrincipal in given) return yield* ownToken
        const logins = yield* PublicLogins.verify(identities, pool, given, now)
        if (logins.length === 0 && !pool.settings.AllowUnauthenticatedIdentities) {
          return yield* noGuests
        }
        const known = logins.flatMap(({ name }) => pool.publicLogins.get(name) ?? [])
        const identity = known[0] ?? IdentityPools.addIdentity(pool, account.region)
        yield* linkTo(pool, identity, logins)
        return { IdentityId: identity.id }
      })
    ),

    GetOpenIdToken: unsigned(
      { IdentityId: id, Logins: Shape.optional(loginsByProvider) },
      Effect.fnUntraced(function* (input, now) {
        const { identity, pool } = yield* findIdentity(input.IdentityId)
        const { Logins: given = {} } = input
        if (cognitoPrincipal in given) return yield* ownToken
        if (pool.settings.AllowClassicFlow !== true) {
          return yield* notAuthorized(
            "Basic (classic) flow is not enabled, please use enhanced flow."
          )
        }
        const amr = yield* logInto(pool, identity, given, now)
        const token = yield* Issuer.mint(issuer, {
          pool,
          poolArn: arn(pool.id),
          identity,
          amr,
          duration: publicDuration,
          now
        })
        return { IdentityId: identity.id, Token: token }
      })
    ),

    GetCredentialsForIdentity: unsigned(
      {
        IdentityId: id,
        Logins: Shape.optional(loginsByProvider),
        CustomRoleArn: Shape.optional(Shape.string({ min: 20, max: 2048 }))
      },
      Effect.fnUntraced(function* (input, now) {
        const { identity, pool } = yield* findIdentity(input.IdentityId)
        const { [cognitoPrincipal]: token, ...others } = input.Logins ?? {}
        const amr =
          token === undefined
            ? yield* logInto(pool, identity, others, now)
            : yield* Issuer.verify(issuer, Redacted.make(token), { identity, pool, now })
        const roleArn = pool.roles[amr[0] ?? ""]
        const role = [...account.roles.values()].find((one) => one.arn === roleArn)
        const trust = role && History.seen(role.trustPolicy, account.seenUntil(now))
        if (trust === undefined || role === undefined || !trusts(trust, pool, identity, amr)) {
          return yield* new AwsError({
            code: "InvalidIdentityPoolConfigurationException",
            message: "Invalid identity pool configuration. Check assigned IAM roles for this pool."
          })
        }
        if (input.CustomRoleArn !== undefined && input.CustomRoleArn !== role.arn) {
          return yield* notAuthorized("The CustomRoleArn is not a role of this login.")
        }
        const key = Account.addKey(account, role, {
          sessionName: "CognitoIdentityCredentials",
          expiresAt: now + credentialsLifetime
        })
        return {
          IdentityId: identity.id,
          Credentials: {
            AccessKeyId: key.id,
            SecretKey: Redacted.value(key.secret),
            SessionToken: Redacted.value(key.sessionToken ?? Redacted.make("")),
            Expiration: seconds(now + credentialsLifetime)
          }
        }
      })
    )
  }

  const perform = Effect.fnUntraced(
    function* (request: Request, operation: Operation | undefined) {
      if (operation === undefined) {
        return yield* new AwsError({ code: "UnknownOperationException", message: "" })
      }
      const now = yield* clock.now("cognito")
      return jsonProtocol.success((yield* operation(request, now)) ?? {})
    },
    Effect.catch((error) => Effect.succeed(jsonProtocol.failure(error)))
  )

  return {
    name: "cognito",
    route: (request) => {
      if (request.path !== "/" || request.method !== "POST") return Issuer.route(issuer, request)
      const target = request.headers["x-amz-target"]
      if (target === undefined) return undefined
      const action = target.replace("AWSCognitoIdentityService.", "")
      const endpoint = Endpoint.all.find((name) => name === `cognito.${action}`)
      const operation = Object.hasOwn(operations, action) ? operations[action] : undefined
      return { ...(endpoint && { endpoint }), answer: perform(request, operation) }
    },
    failure: (_request, failure) => Effect.succeed(jsonProtocol.failure(imposed(failure)))
  }
}

const decode = <M extends Shape.Members>(members: M, request: Request) => {
  const body = request.body.toString("utf8")
  const parsed = Result.try((): unknown => JSON.parse(body === "" ? "{}" : body))
  return Result.isSuccess(parsed) && Predicate.isObject(parsed.success)
    ? Shape.decode(members, parsed.success)
    : new AwsError({ code: "SerializationException", message: "The input is not a JSON object" })
}

const describe = (pool: IdentityPools.IdentityPool) => ({
  IdentityPoolId: pool.id,
  ...pool.settings
})

/** Exactly one of the logins is the pool's developer provider. */
const developerLogin = Effect.fnUntraced(function* (
  pool: IdentityPools.IdentityPool,
  all: Readonly<Record<string, string>>
) {
  const { DeveloperProviderName: provider = "" } = pool.settings
  const { [provider]: user, ...others } = all
  if (user === undefined) {
    return yield* invalidParameter(
      "This identity pool does not support the specified developer provider"
    )
  }
  if (user.length > 1024) {
    return yield* invalidParameter("The developer user identifier is longer than 1024 characters.")
  }
  return { provider, user, others }
})

/** Links logins to an identity, unless one of them is another's. */
const linkTo = Effect.fnUntraced(function* (
  pool: IdentityPools.IdentityPool,
  identity: IdentityPools.Identity,
  logins: PublicLogins.PublicLogins
) {
  const names = logins.map(({ name }) => name)
  if (names.some((name) => (pool.publicLogins.get(name) ?? identity) !== identity)) {
    return yield* new AwsError({
      code: "ResourceConflictException",
      message: "Logins are linked to different identities."
    })
  }
  IdentityPools.linkPublic(pool, identity, names)
})

const amrOf = (logins: PublicLogins.PublicLogins): ReadonlyArray<string> =>
  logins.length === 0
    ? ["unauthenticated"]
    : ["authenticated", ...logins.flatMap(({ name, provider }) => [provider, name])]

/** Whether STS lets the pool's identity assume a role. */
const trusts = (
  trustPolicy: Account.TrustPolicy,
  pool: IdentityPools.IdentityPool,
  identity: IdentityPools.Identity,
  amr: ReadonlyArray<string>
): boolean =>
  Policy.evaluateTrust(
    trustPolicy.statements,
    "sts:AssumeRoleWithWebIdentity",
    cognitoPrincipal,
    Condition.context({
      [`${cognitoPrincipal}:aud`]: [pool.id],
      [`${cognitoPrincipal}:sub`]: [identity.id],
      [`${cognitoPrincipal}:amr`]: amr
    })
  ) === "allowed"

const page = <A>(all: ReadonlyArray<A>, size: number, token: string | undefined) => {
  const start = token === undefined ? 0 : Number(token)
  if (!Number.isInteger(start) || start < 0) return invalidParameter("Invalid NextToken.")
  const end = start + size
  return Effect.succeed({
    items: all.slice(start, end),
    next: end < all.length ? { NextToken: `${end}` } : {}
  })
}

const notFound = (message: string) => new AwsError({ code: "ResourceNotFoundException", message })

const invalidParameter = (message: string) =>
  new AwsError({ code: "InvalidParameterException", message })

const ownToken = notAuthorized("Invalid login token. Can't pass in a Cognito token.")

const noGuests = notAuthorized("Unauthenticated access is not supported for this identity pool.")
