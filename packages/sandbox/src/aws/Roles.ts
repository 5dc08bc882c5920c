/** Roles, who may assume them, and what they may do: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
import * as Effect from "effect/Effect"
import * as History from "../kernel/History.ts"
import * as Account from "./Account.ts"
import * as Condition from "./Condition.ts"
import {
  alreadyExists,
  arn,
  date,
  deleteConflict,
  limitExceeded,
  noSuchEntity,
  operation,
  page,
  paging,
  path,
  policyDocument,
  policyName,
  putTags,
  read,
  readTags,
  roleFor,
  roleName,
  sizeOf,
  tagKeys,
  tagsIn,
  takeTags
} from "./IamOperation.ts"
import type { Operation } from "./IamOperation.ts"
import { findPolicy } from "./ManagedPolicies.ts"
import * as Policy from "./Policy.ts"
import * as Shape from "./Shape.ts"
import type * as Xml from "./Xml.ts"

/** Of a role, in characters without white space. */
const longest = { policies: 10_240, trustPolicy: 2048 }

const mostAttached = 10

const description = Shape.optional(Shape.string({ max: 1000 }))
const maxSessionDuration = Shape.optional(Shape.numeral({ min: 3600, max: 43_200 }))

export const roles = (account: Account.Account): ReadonlyArray<Operation> => [
  operation(
    "CreateRole",
    {
      RoleName: roleName,
      AssumeRolePolicyDocument: policyDocument,
      Path: path,
      Description: description,
      MaxSessionDuration: maxSessionDuration,
      Tags: Shape.optional(Shape.list)
    },
    Effect.fnUntraced(function* (input, call) {
      const { RoleName: name, Tags: list = [] } = input
      const wanted = Account.roleArn(account, name, input.Path)
      yield* Account.authorize(account, call, "iam:CreateRole", wanted)
      if (list.length > 0) yield* Account.authorize(account, call, "iam:TagRole", wanted)
      if (account.roles.has(name)) {
        return yield* alreadyExists(`Role with name ${name} already exists.`)
      }
      const role = Account.addRole(account, {
        name,
        createdAt: call.now,
        setAt: call.now,
        trustPolicy: yield* readTrust(input.AssumeRolePolicyDocument),
        description: input.Description,
        maxSessionDuration: input.MaxSessionDuration,
        tags: yield* readTags(list),
        ...(input.Path !== undefined && { path: input.Path })
      })
      return { Role: describe(role) }
    })
  ),
  operation(
    "GetRole",
    { RoleName: roleName },
    Effect.fnUntraced(function* ({ RoleName }, call) {
      return { Role: describe(yield* roleFor(account, call, "GetRole", RoleName)) }
    })
  ),
  operation(
    "ListRoles",
    { ...paging, PathPrefix: path },
    Effect.fnUntraced(function* (input, call) {
      const { PathPrefix: prefix = "/" } = input
      yield* Account.authorize(account, call, "iam:ListRoles", Account.roleArn(account, "", prefix))
      const { items, more } = yield* page(
        [...account.roles.values()].filter((role) => role.path.startsWith(prefix)),
        input
      )
      return {
        Roles: {
          member: items.map((role) => {
            // A list tells nothing of tags.
            const { Tags: _, ...rest } = describe(role)
            return rest
          })
        },
        ...more
      }
    })
  ),
  operation(
    "UpdateRole",
    { RoleName: roleName, Description: description, MaxSessionDuration: maxSessionDuration },
    Effect.fnUntraced(function* (input, call) {
      const role = yield* roleFor(account, call, "UpdateRole", input.RoleName)
      role.description = input.Description
      role.maxSessionDuration = input.MaxSessionDuration ?? 3600
      return {}
    })
  ),
  operation(
    "UpdateAssumeRolePolicy",
    { RoleName: roleName, PolicyDocument: policyDocument },
    Effect.fnUntraced(function* (input, call) {
      const role = yield* roleFor(account, call, "UpdateAssumeRolePolicy", input.RoleName)
      History.set(role.trustPolicy, yield* readTrust(input.PolicyDocument), call.now)
      return undefined
    })
  ),
  operation(
    "DeleteRole",
    { RoleName: roleName },
    Effect.fnUntraced(function* ({ RoleName }, call) {
      const role = yield* roleFor(account, call, "DeleteRole", RoleName)
      if (role.attached.size > 0) {
        return yield* deleteConflict("Cannot delete entity, must detach all policies first.")
      }
      if (role.policies.size > 0) {
        return yield* deleteConflict("Cannot delete entity, must delete policies first.")
      }
      account.roles.delete(role.name)
      return undefined
    })
  ),
  operation(
    "TagRole",
    { RoleName: roleName, Tags: Shape.list },
    Effect.fnUntraced(function* ({ RoleName, Tags }, call) {
      yield* putTags((yield* roleFor(account, call, "TagRole", RoleName)).tags, Tags)
      return undefined
    })
  ),
  operation(
    "UntagRole",
    { RoleName: roleName, TagKeys: tagKeys },
    Effect.fnUntraced(function* ({ RoleName, TagKeys }, call) {
      takeTags((yield* roleFor(account, call, "UntagRole", RoleName)).tags, TagKeys)
      return undefined
    })
  ),
  operation(
    "ListRoleTags",
    { ...paging, RoleName: roleName },
    Effect.fnUntraced(function* (input, call) {
      const { tags } = yield* roleFor(account, call, "ListRoleTags", input.RoleName)
      const { items, more } = yield* page([...tags], input)
      return { ...tagsIn(new Map(items)), ...more }
    })
  ),
  operation(
    "PutRolePolicy",
    { RoleName: roleName, PolicyName: policyName, PolicyDocument: policyDocument },
    Effect.fnUntraced(function* (input, call) {
      const role = yield* roleFor(account, call, "PutRolePolicy", input.RoleName)
      const policy = yield* read(input.PolicyDocument, Policy.parse)
      const others = [...role.policies].filter(([name]) => name !== input.PolicyName)
      const size = others.reduce(
        (sum, [, { document }]) => sum + sizeOf(document),
        sizeOf(policy.document)
      )
      if (size > longest.policies) {
        return yield* limitExceeded(
          `Maximum policy size of ${longest.policies} bytes exceeded for role ${role.name}`
        )
      }
      role.policies.set(input.PolicyName, policy)
      Account.setPermissions(role, call.now)
      return undefined
    })
  ),
  operation(
    "GetRolePolicy",
    { RoleName: roleName, PolicyName: policyName },
    Effect.fnUntraced(function* ({ PolicyName, RoleName }, call) {
      const role = yield* roleFor(account, call, "GetRolePolicy", RoleName)
      const policy = role.policies.get(PolicyName)
      if (policy === undefined) return yield* noSuchPolicy(PolicyName)
      return { RoleName, PolicyName, PolicyDocument: encodeURIComponent(policy.document) }
    })
  ),
  operation(
    "ListRolePolicies",
    { ...paging, RoleName: roleName },
    Effect.fnUntraced(function* (input, call) {
      const role = yield* roleFor(account, call, "ListRolePolicies", input.RoleName)
      const { items, more } = yield* page([...role.policies.keys()], input)
      return { PolicyNames: { member: items }, ...more }
    })
  ),
  operation(
    "DeleteRolePolicy",
    { RoleName: roleName, PolicyName: policyName },
    Effect.fnUntraced(function* ({ PolicyName, RoleName }, call) {
      const role = yield* roleFor(account, call, "DeleteRolePolicy", RoleName)
      if (!role.policies.delete(PolicyName)) return yield* noSuchPolicy(PolicyName)
      Account.setPermissions(role, call.now)
      return undefined
    })
  ),
  operation(
    "AttachRolePolicy",
    { RoleName: roleName, PolicyArn: arn },
    Effect.fnUntraced(function* ({ PolicyArn, RoleName }, call) {
      const role = yield* roleFor(account, call, "AttachRolePolicy", RoleName, ofPolicy(PolicyArn))
      const policy = findPolicy(account, PolicyArn)
      if (policy === undefined) {
        return yield* noSuchEntity(`Policy ${PolicyArn} does not exist or is not attachable.`)
      }
      if (!role.attached.has(PolicyArn) && role.attached.size >= mostAttached) {
        return yield* limitExceeded(`Cannot exceed quota for PoliciesPerRole: ${mostAttached}`)
      }
      role.attached.set(PolicyArn, policy)
      Account.setPermissions(role, call.now)
      return undefined
    })
  ),
  operation(
    "DetachRolePolicy",
    { RoleName: roleName, PolicyArn: arn },
    Effect.fnUntraced(function* ({ PolicyArn, RoleName }, call) {
      const role = yield* roleFor(account, call, "DetachRolePolicy", RoleName, ofPolicy(PolicyArn))
      if (!role.attached.delete(PolicyArn)) {
        return yield* noSuchEntity(`Policy ${PolicyArn} was not found.`)
      }
      Account.setPermissions(role, call.now)
      return undefined
    })
  ),
  operation(
    "ListAttachedRolePolicies",
    { ...paging, RoleName: roleName },
    Effect.fnUntraced(function* (input, call) {
      const role = yield* roleFor(account, call, "ListAttachedRolePolicies", input.RoleName)
      const { items, more } = yield* page([...role.attached.values()], input)
      return {
        AttachedPolicies: {
          member: items.map((policy) => ({ PolicyName: policy.name, PolicyArn: policy.arn }))
        },
        ...more
      }
    })
  )
]

const ofPolicy = (policyArn: string) => Condition.context({ "iam:PolicyARN": [policyArn] })

const readTrust = Effect.fnUntraced(function* (document: string) {
  const policy = yield* read(document, Policy.parseTrust)
  return sizeOf(document) > longest.trustPolicy
    ? yield* limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${longest.trustPolicy}`)
    : policy
})

const describe = (role: Account.Role) =>
  ({
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: date(role.createdAt),
    // Percent-encoded as in RFC 3986, so IAM says.
    AssumeRolePolicyDocument: encodeURIComponent(History.current(role.trustPolicy).document),
    ...(role.description !== undefined && { Description: role.description }),
    MaxSessionDuration: `${role.maxSessionDuration}`,
    ...tagsIn(role.tags)
  }) satisfies Xml.Content

const noSuchPolicy = (name: string) =>
  noSuchEntity(`The role policy with name ${name} cannot be found.`)
