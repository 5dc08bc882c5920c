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
import * as Shape from "../aws/Shape.ts"
import * as SigV4 from "../aws/SigV4.ts"
import * as Endpoint from "../kernel/Endpoint.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as IdentityPools from "./IdentityPools.ts"
import * as Issuer from "./Issuer.ts"

export interface Options {
  readonly account: Account.Account
  readonly pools: IdentityPools.IdentityPools
  readonly issuer: Issuer.Issuer
  readonly clock: ServiceClock
}

/** The key of `Logins` under which Cognito's own token is handed in. */
const ownLogin = "cognito-identity.amazonaws.com"

/** GetOpenIdTokenForDeveloperIdentity's default `TokenDuration`, in seconds. */
const defaultDuration = 900

/** How long the credentials of GetCredentialsForIdentity last, in milliseconds. */
const credentialsLifetime = 3_600_000

const id = Shape.string({ min: 1, max: 55, pattern: "[\\w-]+:[0-9a-f-]+" })
const logins = Shape.map({ max: 10 }, { min: 1, max: 128 }, { min: 1, max: 50_000 })
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

export const make = ({ account, clock, issuer, pools }: Options): Service => {
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
      yield* Account.authorize(account, caller, `cognito-identity:${action}`, resource)
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

  const operations: Readonly<Record<string, Operation>> = {
    CreateIdentityPool: signed("CreateIdentityPool", settings, (input) =>
      Effect.sync(() => describe(IdentityPools.addPool(pools, account.region, input)))
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
        Logins: logins,
        PrincipalTags: Shape.optional(
          Shape.map({ max: 50 }, { min: 1, max: 128 }, { min: 1, max: 256 })
        ),
        TokenDuration: Shape.optional(Shape.integer({ min: 1, max: 86_400 }))
      },
      Effect.fnUntraced(function* (input, now) {
        const pool = yield* findPool(input.IdentityPoolId)
        const { provider, user } = yield* developerLogin(pool, input.Logins)
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
        const token = yield* Issuer.mint(issuer, {
          pool,
          poolArn: arn(pool.id),
          identity,
          provider,
          user,
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
        Logins: Shape.optional(logins),
        AccountId: Shape.optional(Shape.string({ min: 1, max: 15, pattern: "\\d+" }))
      },
      Effect.fnUntraced(function* (input) {
        const pool = yield* findPool(input.IdentityPoolId)
        const providers = Object.keys(input.Logins ?? {})
        if (providers.includes(ownLogin)) {
          return yield* notAuthorized("Invalid login token. Can't pass in a Cognito token.")
        }
        if (providers.length > 0) return yield* foreignLogin(pool, providers)
        if (!pool.settings.AllowUnauthenticatedIdentities) return yield* noGuests
        return { IdentityId: IdentityPools.addIdentity(pool, account.region).id }
      })
    ),

    GetCredentialsForIdentity: unsigned(
      {
        IdentityId: id,
        Logins: Shape.optional(logins),
        CustomRoleArn: Shape.optional(Shape.string({ min: 20, max: 2048 }))
      },
      Effect.fnUntraced(function* (input, now) {
        const { identity, pool } = yield* findIdentity(input.IdentityId)
        const { [ownLogin]: token, ...others } = input.Logins ?? {}
        const providers = Object.keys(others)
        if (providers.length > 0) return yield* foreignLogin(pool, providers)
        if (token !== undefined) {
          yield* Issuer.verify(issuer, Redacted.make(token), { identity, pool, now })
        } else if (identity.developerUsers.size > 0) {
          return yield* notAuthorized(`Access to Identity '${identity.id}' is forbidden.`)
        } else if (!pool.settings.AllowUnauthenticatedIdentities) {
          return yield* noGuests
        }
        const roleArn = pool.roles[token === undefined ? "unauthenticated" : "authenticated"]
        const role = [...account.roles.values()].find((one) => one.arn === roleArn)
        if (role === undefined) {
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

/** Exactly one of the logins is the pool's developer provider; no public provider is stood in for. */
const developerLogin = Effect.fnUntraced(function* (
  pool: IdentityPools.IdentityPool,
  all: Readonly<Record<string, string>>
) {
  const provider = pool.settings.DeveloperProviderName
  const user = provider === undefined ? undefined : all[provider]
  if (provider === undefined || user === undefined) {
    return yield* invalidParameter(
      "This identity pool does not support the specified developer provider"
    )
  }
  if (user.length > 1024) {
    return yield* invalidParameter("The developer user identifier is longer than 1024 characters.")
  }
  const others = Object.keys(all).filter((name) => name !== provider)
  if (others.length > 0) return yield* foreignLogin(pool, others)
  return { provider, user }
})

/** A login that is not Cognito's own: the sandbox stands in for no public provider. */
const foreignLogin = (pool: IdentityPools.IdentityPool, providers: ReadonlyArray<string>) =>
  notAuthorized(
    providers.includes(pool.settings.DeveloperProviderName ?? "")
      ? "Invalid login token. Issuer doesn't match providerName"
      : "Token is not from a supported provider of this identity pool."
  )

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

const notAuthorized = (message: string) => new AwsError({ code: "NotAuthorizedException", message })

const invalidParameter = (message: string) =>
  new AwsError({ code: "InvalidParameterException", message })

const noGuests = notAuthorized("Unauthenticated access is not supported for this identity pool.")
