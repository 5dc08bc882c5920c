/**
 * The little of IAM that federation and least privilege need: roles, who may assume them and what they may do, OpenID
 * providers, and the account's own issuer.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as Account from "./Account.ts"
import { AwsError } from "./AwsError.ts"
import * as Outbound from "./Outbound.ts"
import * as Policy from "./Policy.ts"
import * as Query from "./Query.ts"
import * as Shape from "./Shape.ts"
import type * as Xml from "./Xml.ts"

/** The largest inline policy of a role, in characters without white space. */
const maximumPolicy = 10_240

const roleName = Shape.string({ min: 1, max: 64, pattern: "[\\w+=,.@-]+" })
const policyName = Shape.string({ min: 1, max: 128, pattern: "[\\w+=,.@-]+" })
const policyDocument = Shape.string({ min: 1, max: 131_072 })

const providerArn = Shape.string({ min: 20, max: 2048 })
const clientId = { min: 1, max: 255 }

/**
 * @param base the https base URL, under which the account's own issuer is
 */
export const make = (account: Account.Account, base: string, clock: ServiceClock): Service => {
  /** The role, if the caller may do this to it. */
  const roleFor = Effect.fnUntraced(function* (
    caller: Account.AccessKey,
    action: string,
    name: string
  ) {
    const role = account.roles.get(name)
    yield* Account.authorize(
      account,
      caller,
      `iam:${action}`,
      role?.arn ?? Account.roleArn(account, name),
      { told: `role ${name}` }
    )
    return role === undefined
      ? yield* noSuchEntity(`The role with name ${name} cannot be found.`)
      : role
  })

  /** The provider, if the caller may do this to it. */
  const providerFor = Effect.fnUntraced(function* (
    caller: Account.AccessKey,
    action: string,
    parameters: Readonly<Record<string, unknown>>
  ) {
    const { OpenIDConnectProviderArn: arn } = yield* Shape.decode(
      { OpenIDConnectProviderArn: providerArn },
      parameters
    )
    yield* Account.authorize(account, caller, `iam:${action}`, arn)
    const provider = account.oidcProviders.get(arn)
    return provider ?? (yield* noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`))
  })

  return Query.make({
    name: "iam",
    version: "2010-05-08",
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    account,
    clock,
    operations: {
      CreateRole: {
        endpoint: "iam.CreateRole",
        run: Effect.fnUntraced(function* ({ caller, now, parameters }) {
          const input = yield* Shape.decode(
            {
              RoleName: roleName,
              AssumeRolePolicyDocument: policyDocument,
              Path: Shape.optional(Shape.string({ min: 1, max: 512, pattern: "/|/[!-~]+/" })),
              MaxSessionDuration: Shape.optional(Shape.numeral({ min: 3600, max: 43_200 }))
            },
            parameters
          )
          const { MaxSessionDuration, Path: path, RoleName: name } = input
          yield* Account.authorize(
            account,
            caller,
            "iam:CreateRole",
            Account.roleArn(account, name, path)
          )
          if (account.roles.has(name)) {
            return yield* new AwsError({
              code: "EntityAlreadyExists",
              message: `Role with name ${name} already exists.`,
              status: 409
            })
          }
          const trustPolicy = yield* readTrust(input.AssumeRolePolicyDocument)
          const role = Account.addRole(account, {
            name,
            createdAt: now,
            trustPolicy,
            ...(path !== undefined && { path }),
            ...(MaxSessionDuration !== undefined && { maxSessionDuration: MaxSessionDuration })
          })
          return { Role: describe(role) }
        })
      },
      UpdateAssumeRolePolicy: {
        endpoint: "iam.UpdateAssumeRolePolicy",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const input = yield* Shape.decode(
            { RoleName: roleName, PolicyDocument: policyDocument },
            parameters
          )
          const role = yield* roleFor(caller, "UpdateAssumeRolePolicy", input.RoleName)
          role.trustPolicy = yield* readTrust(input.PolicyDocument)
          return undefined
        })
      },
      DeleteRole: {
        endpoint: "iam.DeleteRole",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const { RoleName } = yield* Shape.decode({ RoleName: roleName }, parameters)
          const role = yield* roleFor(caller, "DeleteRole", RoleName)
          if (role.policies.size > 0) {
            return yield* new AwsError({
              code: "DeleteConflict",
              message: "Cannot delete entity, must delete policies first.",
              status: 409
            })
          }
          account.roles.delete(role.name)
          return undefined
        })
      },
      GetRole: {
        endpoint: "iam.GetRole",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const { RoleName } = yield* Shape.decode({ RoleName: roleName }, parameters)
          return { Role: describe(yield* roleFor(caller, "GetRole", RoleName)) }
        })
      },
      PutRolePolicy: {
        endpoint: "iam.PutRolePolicy",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const input = yield* Shape.decode(
            { RoleName: roleName, PolicyName: policyName, PolicyDocument: policyDocument },
            parameters
          )
          const role = yield* roleFor(caller, "PutRolePolicy", input.RoleName)
          const statements = Policy.parse(input.PolicyDocument)
          if (Result.isFailure(statements)) return yield* malformed(statements.failure)
          if (input.PolicyDocument.replace(/\s/g, "").length > maximumPolicy) {
            return yield* new AwsError({
              code: "LimitExceeded",
              message: `Maximum policy size of ${maximumPolicy} bytes exceeded for role ${role.name}`,
              status: 409
            })
          }
          role.policies.set(input.PolicyName, {
            document: input.PolicyDocument,
            statements: statements.success
          })
          return undefined
        })
      },
      GetRolePolicy: {
        endpoint: "iam.GetRolePolicy",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const input = yield* Shape.decode(
            { RoleName: roleName, PolicyName: policyName },
            parameters
          )
          const role = yield* roleFor(caller, "GetRolePolicy", input.RoleName)
          const policy = role.policies.get(input.PolicyName)
          if (policy === undefined) return yield* noSuchPolicy(input.PolicyName)
          return {
            RoleName: role.name,
            PolicyName: input.PolicyName,
            // Percent-encoded as in RFC 3986, so IAM says.
            PolicyDocument: encodeURIComponent(policy.document)
          }
        })
      },
      DeleteRolePolicy: {
        endpoint: "iam.DeleteRolePolicy",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const input = yield* Shape.decode(
            { RoleName: roleName, PolicyName: policyName },
            parameters
          )
          const role = yield* roleFor(caller, "DeleteRolePolicy", input.RoleName)
          return role.policies.delete(input.PolicyName)
            ? undefined
            : yield* noSuchPolicy(input.PolicyName)
        })
      },
      CreateOpenIDConnectProvider: {
        endpoint: "iam.CreateOpenIDConnectProvider",
        run: Effect.fnUntraced(function* ({ caller, now, parameters }) {
          const input = yield* Shape.decode(
            {
              Url: Shape.string({ min: 1, max: 255 }),
              ClientIDList: Shape.optional(Shape.strings({ min: 0, max: 100 }, clientId)),
              ThumbprintList: Shape.optional(
                Shape.strings({ min: 0, max: 5 }, { min: 40, max: 40 })
              )
            },
            parameters
          )
          const issuer = URL.parse(input.Url)
          if (issuer === null || issuer.protocol !== "https:" || issuer.search !== "") {
            return yield* new AwsError({
              code: "InvalidInput",
              message: "Invalid Open ID Connect Provider URL"
            })
          }
          // As it was written: a slash at its end counts.
          const url = input.Url.slice("https://".length)
          const arn = Account.oidcProviderArn(account, url)
          yield* Account.authorize(account, caller, "iam:CreateOpenIDConnectProvider", arn)
          if (account.oidcProviders.has(arn)) {
            return yield* new AwsError({
              code: "EntityAlreadyExists",
              message: `Provider with url ${input.Url} already exists.`,
              status: 409
            })
          }
          Account.addOidcProvider(account, {
            url,
            clientIds: input.ClientIDList ?? [],
            thumbprints: input.ThumbprintList ?? [],
            createdAt: now
          })
          return { OpenIDConnectProviderArn: arn }
        })
      },
      ListOpenIDConnectProviders: {
        endpoint: "iam.ListOpenIDConnectProviders",
        run: Effect.fnUntraced(function* ({ caller }) {
          yield* Account.authorize(account, caller, "iam:ListOpenIDConnectProviders", "*")
          return {
            OpenIDConnectProviderList: {
              member: [...account.oidcProviders.keys()].map((Arn) => ({ Arn }))
            }
          }
        })
      },
      GetOpenIDConnectProvider: {
        endpoint: "iam.GetOpenIDConnectProvider",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const provider = yield* providerFor(caller, "GetOpenIDConnectProvider", parameters)
          return {
            Url: provider.url,
            ClientIDList: { member: [...provider.clientIds] },
            ThumbprintList: { member: provider.thumbprints },
            CreateDate: date(provider.createdAt)
          }
        })
      },
      AddClientIDToOpenIDConnectProvider: {
        endpoint: "iam.AddClientIDToOpenIDConnectProvider",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const { ClientID } = yield* Shape.decode({ ClientID: Shape.string(clientId) }, parameters)
          const action = "AddClientIDToOpenIDConnectProvider"
          const provider = yield* providerFor(caller, action, parameters)
          provider.clientIds.add(ClientID)
          return undefined
        })
      },
      DeleteOpenIDConnectProvider: {
        endpoint: "iam.DeleteOpenIDConnectProvider",
        run: Effect.fnUntraced(function* ({ caller, parameters }) {
          const provider = yield* providerFor(caller, "DeleteOpenIDConnectProvider", parameters)
          account.oidcProviders.delete(provider.arn)
          return undefined
        })
      },
      EnableOutboundWebIdentityFederation: {
        endpoint: "iam.EnableOutboundWebIdentityFederation",
        run: Effect.fnUntraced(function* ({ caller }) {
          yield* Account.authorize(account, caller, "iam:EnableOutboundWebIdentityFederation", "*")
          if (account.outbound?.enabled === true) {
            return yield* new AwsError({
              code: "FeatureEnabled",
              message: "Outbound web identity federation is already enabled for this account.",
              status: 409
            })
          }
          return { IssuerIdentifier: Outbound.enable(account, base).issuer }
        })
      },
      GetOutboundWebIdentityFederationInfo: {
        endpoint: "iam.GetOutboundWebIdentityFederationInfo",
        run: Effect.fnUntraced(function* ({ caller }) {
          yield* Account.authorize(account, caller, "iam:GetOutboundWebIdentityFederationInfo", "*")
          const { issuer } = yield* enabledOutbound(account)
          return { IssuerIdentifier: issuer, JwtVendingEnabled: "true" }
        })
      },
      DisableOutboundWebIdentityFederation: {
        endpoint: "iam.DisableOutboundWebIdentityFederation",
        run: Effect.fnUntraced(function* ({ caller }) {
          yield* Account.authorize(account, caller, "iam:DisableOutboundWebIdentityFederation", "*")
          const outbound = yield* enabledOutbound(account)
          outbound.enabled = false
          return undefined
        })
      }
    }
  })
}

const enabledOutbound = Effect.fnUntraced(function* ({ outbound }: Account.Account) {
  return outbound?.enabled === true
    ? outbound
    : yield* new AwsError({
        code: "FeatureDisabled",
        message: "Outbound web identity federation is not enabled for this account.",
        status: 404
      })
})

const readTrust = Effect.fnUntraced(function* (document: string) {
  const statements = Policy.parseTrust(document)
  return Result.isSuccess(statements)
    ? { document, statements: statements.success }
    : yield* malformed(statements.failure)
})

const date = (millis: number): string => new Date(millis).toISOString().replace(/\.\d{3}/, "")

const describe = (role: Account.Role): Xml.Content => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: role.arn,
  CreateDate: date(role.createdAt),
  AssumeRolePolicyDocument: encodeURIComponent(role.trustPolicy.document),
  MaxSessionDuration: `${role.maxSessionDuration}`
})

const noSuchEntity = (message: string) =>
  new AwsError({ code: "NoSuchEntity", message, status: 404 })

const noSuchPolicy = (name: string) =>
  noSuchEntity(`The role policy with name ${name} cannot be found.`)

const malformed = (message: string) => new AwsError({ code: "MalformedPolicyDocument", message })
