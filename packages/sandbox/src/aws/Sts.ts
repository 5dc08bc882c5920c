/**
 * AWS STS: who am I, tokens about me for others, and roles for others' tokens.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as History from "../kernel/History.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as Account from "./Account.ts"
import { AwsError } from "./AwsError.ts"
import * as Condition from "./Condition.ts"
import { awsManaged, findPolicy } from "./ManagedPolicies.ts"
import * as Outbound from "./Outbound.ts"
import * as Policy from "./Policy.ts"
import * as Query from "./Query.ts"
import * as Shape from "./Shape.ts"
import * as WebIdentity from "./WebIdentity.ts"

/** In seconds. */
const defaultTokenDuration = 300
const defaultSessionDuration = 3600

/** The most that a token may say, in bytes: AWS has a limit and does not tell which. */
const maximumPayload = 8192

/** Of session tags, and of a token's. */
const tagText = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"

const tokenInput = {
  Audience: Shape.strings({ min: 1, max: 10 }, { min: 1, max: 1000 }),
  SigningAlgorithm: Shape.string({ pattern: "RS256|ES384" }),
  DurationSeconds: Shape.optional(Shape.numeral({ min: 60, max: 3600 })),
  Tags: Shape.map(
    { max: 50 },
    { min: 1, max: 128, pattern: tagText },
    { max: 256, pattern: tagText }
  )
}

const sessionInput = {
  RoleArn: Shape.string({ min: 20, max: 2048 }),
  RoleSessionName: Shape.string({ min: 2, max: 64, pattern: "[\\w+=,.@-]*" }),
  WebIdentityToken: Shape.string({ min: 4, max: 20_000 }),
  ProviderId: Shape.optional(Shape.string({ min: 4, max: 2048 })),
  DurationSeconds: Shape.optional(Shape.numeral({ min: 900, max: 43_200 })),
  Policy: Shape.optional(Shape.string({ min: 1, max: 2048 })),
  PolicyArns: Shape.optional(Shape.list)
}

export const make = (identities: WebIdentity.WebIdentities, clock: ServiceClock): Service => {
  const { account } = identities
  const service = Query.make({
    name: "sts",
    version: "2011-06-15",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    account,
    clock,
    operations: {
      GetCallerIdentity: {
        endpoint: "sts.GetCallerIdentity",
        run: ({ caller }) =>
          Effect.succeed({
            Arn: Account.callerArn(account, caller),
            UserId: `${caller.role.id}:${caller.sessionName}`,
            Account: account.id
          })
      },

      GetWebIdentityToken: {
        endpoint: "sts.GetWebIdentityToken",
        run: Effect.fnUntraced(function* (call) {
          const { caller, now, parameters } = call
          const input = yield* Shape.decode(tokenInput, {
            ...parameters,
            Tags: tagsOf(parameters["Tags"])
          })
          const { Audience: audiences, DurationSeconds: duration = defaultTokenDuration } = input
          // Held to RS256 or ES384 by its shape.
          const algorithm = input.SigningAlgorithm as Outbound.Algorithm
          const tags = Object.entries(input.Tags)
          const context = Condition.context({
            "sts:IdentityTokenAudience": audiences,
            "sts:DurationSeconds": [`${duration}`],
            "sts:SigningAlgorithm": [algorithm],
            ...(tags.length > 0 && { "aws:TagKeys": tags.map(([key]) => key) }),
            ...Object.fromEntries(tags.map(([key, value]) => [`aws:RequestTag/${key}`, [value]]))
          })
          yield* Account.authorize(account, call, "sts:GetWebIdentityToken", "*", { context })
          if (tags.length > 0) {
            yield* Account.authorize(account, call, "sts:TagGetWebIdentityToken", "*", {
              context
            })
          }
          const { outbound } = account
          if (outbound?.enabled !== true) {
            return yield* new AwsError({
              code: "OutboundWebIdentityFederationDisabledException",
              message: "Outbound web identity federation is not enabled for this account.",
              status: 403
            })
          }
          if (caller.expiresAt !== undefined && now + duration * 1000 > caller.expiresAt) {
            return yield* new AwsError({
              code: "SessionDurationEscalationException",
              message:
                "The requested token duration would extend beyond the expiration of the calling session.",
              status: 403
            })
          }
          const claims = Outbound.claimsOf(account, outbound.issuer, {
            caller,
            audiences,
            duration,
            tags: input.Tags,
            now
          })
          if (Buffer.byteLength(JSON.stringify(claims)) > maximumPayload) {
            return yield* new AwsError({
              code: "JWTPayloadSizeExceededException",
              message: "The token would be larger than what is allowed: send fewer or shorter tags."
            })
          }
          return {
            WebIdentityToken: yield* Outbound.sign(outbound, algorithm, claims),
            Expiration: new Date(claims.exp * 1000).toISOString()
          }
        })
      },

      AssumeRoleWithWebIdentity: {
        endpoint: "sts.AssumeRoleWithWebIdentity",
        runUnsigned: Effect.fnUntraced(function* ({ now, parameters }) {
          const input = yield* Shape.decode(sessionInput, parameters)
          if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(input.RoleArn)) {
            return yield* invalidRequest("Request ARN is invalid")
          }
          if (input.ProviderId !== undefined) {
            return yield* invalidRequest(
              "The sandbox knows OpenID tokens alone, which come without ProviderId."
            )
          }
          const sessionPolicy = yield* sessionPolicyOf(account, input.Policy, input.PolicyArns)
          const identity = yield* WebIdentity.verify(
            identities,
            Redacted.make(input.WebIdentityToken),
            now
          )
          const role = [...account.roles.values()].find(({ arn }) => arn === input.RoleArn)
          const { sourceIdentity, tags } = sessionOf(identity.claims)
          const context = Condition.context({
            ...keysOf(identity),
            "sts:RoleSessionName": [input.RoleSessionName],
            ...(sourceIdentity !== undefined && { "sts:SourceIdentity": [sourceIdentity] }),
            ...(tags && { "aws:TagKeys": Object.keys(tags) }),
            ...Object.fromEntries(
              Object.entries(tags ?? {}).map(([key, value]) => [`aws:RequestTag/${key}`, [value]])
            )
          })
          const wanted = [
            "sts:AssumeRoleWithWebIdentity",
            ...(tags ? ["sts:TagSession"] : []),
            ...(sourceIdentity === undefined ? [] : ["sts:SetSourceIdentity"])
          ]
          const trust = role && History.seen(role.trustPolicy, account.seenUntil(now))
          const refused = wanted.find(
            (action) =>
              trust === undefined ||
              Policy.evaluateTrust(trust.statements, action, identity.principal, context) !==
                "allowed"
          )
          if (role === undefined || refused !== undefined) {
            return yield* new AwsError({
              code: "AccessDeniedException",
              message: `Not authorized to perform ${refused ?? wanted[0]}`
            })
          }
          const packed = packedSize(input.Policy, tags)
          if (packed > 100) {
            return yield* new AwsError({
              code: "PackedPolicyTooLarge",
              message: `Packed policy consumes ${packed}% of allotted space, please use smaller policy.`
            })
          }
          const duration = input.DurationSeconds ?? defaultSessionDuration
          if (duration > role.maxSessionDuration) {
            return yield* invalidRequest(
              "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
          }
          const expiresAt = now + duration * 1000
          const key = Account.addKey(account, role, {
            sessionName: input.RoleSessionName,
            expiresAt,
            ...(sessionPolicy && { sessionPolicy }),
            ...(tags && { tags }),
            ...(sourceIdentity !== undefined && { sourceIdentity })
          })
          return {
            Credentials: {
              AccessKeyId: key.id,
              SecretAccessKey: Redacted.value(key.secret),
              SessionToken: Redacted.value(key.sessionToken ?? Redacted.make("")),
              Expiration: new Date(expiresAt).toISOString().replace(/\.\d{3}/, "")
            },
            SubjectFromWebIdentityToken: identity.subject,
            AssumedRoleUser: {
              AssumedRoleId: `${role.id}:${key.sessionName}`,
              Arn: Account.callerArn(account, key)
            },
            Provider: identity.issuer,
            Audience: identity.audience,
            ...(packed > 0 && { PackedPolicySize: `${packed}` }),
            ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity })
          }
        })
      }
    }
  })
  return {
    ...service,
    route: (request) => service.route(request) ?? Outbound.route(account, request)
  }
}

const invalidRequest = (message: string) => new AwsError({ code: "ValidationException", message })

const malformed = (message: string) => new AwsError({ code: "MalformedPolicyDocument", message })

/** `Tags.member.1.Key`, `Tags.member.1.Value`, …, as a map. */
const tagsOf = (list: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    (Array.isArray(list) ? list : []).map((each: unknown) =>
      Predicate.isObject(each) && "Key" in each
        ? [String(each.Key), "Value" in each ? each.Value : ""]
        : ["", ""]
    )
  )

/** What session policy and tags take together of what AWS packs them into, in per cent: how it packs is its own secret. */
const packedSize = (
  policy: string | undefined,
  tags: Readonly<Record<string, string>> | undefined
): number => {
  const tagged = Object.entries(tags ?? {}).reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    0
  )
  return Math.ceil((((policy?.length ?? 0) + tagged) / 2048) * 100)
}

/** What the session may do at most; nothing where nothing narrows it. */
const sessionPolicyOf = Effect.fnUntraced(function* (
  account: Account.Account,
  document: string | undefined,
  list: ReadonlyArray<unknown> | undefined
) {
  if (document === undefined && list === undefined) return undefined
  const inline = document === undefined ? Result.succeed([]) : Policy.parse(document)
  if (Result.isFailure(inline)) return yield* malformed(inline.failure)
  if ((list ?? []).length > 10) return yield* invalidRequest("At most 10 PolicyArns are allowed.")
  const managed = yield* Effect.forEach(list ?? [], (each) => {
    const arn = Predicate.isObject(each) && "arn" in each ? String(each.arn) : ""
    const policy = findPolicy(account, arn)
    return policy === undefined
      ? invalidRequest(
          `There is no managed policy "${arn}": the sandbox knows the account's own, and ${[...awsManaged.keys()].join(", ")}.`
        )
      : Effect.succeed(policy.statements)
  })
  return [...inline.success, ...managed.flat()]
})

/** What trust policies can ask of an assertion. */
const keysOf = ({ audience, claims, prefix, subject }: WebIdentity.WebIdentity) => {
  const { amr, aud, azp, email } = claims
  return {
    [`${prefix}:sub`]: [subject],
    [`${prefix}:aud`]: [audience],
    // The audience proper, where `azp` takes its place.
    ...(typeof azp === "string" && { [`${prefix}:oaud`]: texts(aud) }),
    ...(amr !== undefined && { [`${prefix}:amr`]: texts(amr) }),
    ...(typeof email === "string" && { [`${prefix}:email`]: [email] })
  }
}

const texts = (value: unknown): ReadonlyArray<string> =>
  (Array.isArray(value) ? value : [value]).filter(Predicate.isString)

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp */
const sessionOf = (claims: Readonly<Record<string, unknown>>) => {
  const sourceIdentity = claims["https://aws.amazon.com/source_identity"]
  const claim = claims["https://aws.amazon.com/tags"]
  const tags =
    Predicate.isObject(claim) &&
    "principal_tags" in claim &&
    Predicate.isObject(claim.principal_tags)
      ? Object.fromEntries(
          Object.entries(claim.principal_tags).map(([key, value]) => [key, texts(value)[0] ?? ""])
        )
      : undefined
  return {
    tags,
    sourceIdentity: typeof sourceIdentity === "string" ? sourceIdentity : undefined
  }
}
