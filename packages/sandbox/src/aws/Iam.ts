/**
 * The little of IAM that a workload's least privilege needs: roles and their inline policies.
 *
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import * as Account from "./Account.ts"
import { AwsError } from "./AwsError.ts"
import * as Policy from "./Policy.ts"
import * as Query from "./Query.ts"
import * as Shape from "./Shape.ts"
import type * as Xml from "./Xml.ts"

/** The largest inline policy of a role, in characters without white space. */
const maximumPolicy = 10_240

const roleName = Shape.string({ min: 1, max: 64, pattern: "[\\w+=,.@-]+" })
const policyName = Shape.string({ min: 1, max: 128, pattern: "[\\w+=,.@-]+" })
const policyDocument = Shape.string({ min: 1, max: 131_072 })

export const make = (account: Account.Account, clock: ServiceClock): Service => {
  /** The role, if the caller may do this to it. */
  const roleFor = Effect.fnUntraced(function* (
    caller: Account.AccessKey,
    action: string,
    name: string
  ) {
    yield* Account.authorize(
      account,
      caller,
      `iam:${action}`,
      Account.roleArn(account, name),
      `role ${name}`
    )
    const role = account.roles.get(name)
    return role === undefined
      ? yield* noSuchEntity(`The role with name ${name} cannot be found.`)
      : role
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
          const { AssumeRolePolicyDocument: trustPolicy, RoleName: name } = yield* Shape.decode(
            { RoleName: roleName, AssumeRolePolicyDocument: policyDocument },
            parameters
          )
          yield* Account.authorize(
            account,
            caller,
            "iam:CreateRole",
            Account.roleArn(account, name)
          )
          if (account.roles.has(name)) {
            return yield* new AwsError({
              code: "EntityAlreadyExists",
              message: `Role with name ${name} already exists.`,
              status: 409
            })
          }
          if (Result.isFailure(Result.try((): unknown => JSON.parse(trustPolicy)))) {
            return yield* malformed("This policy contains invalid Json")
          }
          return {
            Role: describe(Account.addRole(account, { name, createdAt: now, trustPolicy }))
          }
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
      }
    }
  })
}

const describe = (role: Account.Role): Xml.Content => ({
  Path: "/",
  RoleName: role.name,
  RoleId: role.id,
  Arn: role.arn,
  CreateDate: new Date(role.createdAt).toISOString().replace(/\.\d{3}/, ""),
  AssumeRolePolicyDocument: encodeURIComponent(role.trustPolicy),
  MaxSessionDuration: "3600"
})

const noSuchEntity = (message: string) =>
  new AwsError({ code: "NoSuchEntity", message, status: 404 })

const noSuchPolicy = (name: string) =>
  noSuchEntity(`The role policy with name ${name} cannot be found.`)

const malformed = (message: string) => new AwsError({ code: "MalformedPolicyDocument", message })
