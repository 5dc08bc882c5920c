/**
 * Managed policies: the account's own, and of AWS's those that a trust is likely to name.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Account from "./Account.ts"
import type { ManagedPolicy } from "./Account.ts"
import {
  alreadyExists,
  arn,
  date,
  deleteConflict,
  limitExceeded,
  noSuchEntity,
  operation,
  path,
  policyDocument,
  policyName,
  read,
  readTags,
  sizeOf,
  tagsIn
} from "./IamOperation.ts"
import type { Operation } from "./IamOperation.ts"
import * as Policy from "./Policy.ts"
import * as Shape from "./Shape.ts"

/** In characters without white space. */
const longest = 6144

/** What AWS's own allow, as far as anything here asks for it: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html */
const actions: Readonly<Record<string, ReadonlyArray<string>>> = {
  AdministratorAccess: ["*"],
  AmazonS3ReadOnlyAccess: ["s3:Get*", "s3:List*", "s3:Describe*"],
  IAMFullAccess: ["iam:*"],
  IAMReadOnlyAccess: ["iam:Get*", "iam:List*"],
  ReadOnlyAccess: ["cognito-identity:Describe*", "cognito-identity:List*", "iam:Get*", "iam:List*"],
  "service-role/AWSLambdaBasicExecutionRole": ["logs:CreateLogGroup", "logs:PutLogEvents"]
}

/** By ARN. */
export const awsManaged: ReadonlyMap<string, ManagedPolicy> = new Map(
  Object.entries(actions).map(([written, Action]) => {
    const at = written.lastIndexOf("/") + 1
    const document = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action, Resource: "*" }]
    })
    const policy: ManagedPolicy = {
      arn: `arn:aws:iam::aws:policy/${written}`,
      name: written.slice(at),
      path: `/${written.slice(0, at)}`,
      id: `ANPA${written.replace(/\W/g, "").toUpperCase().slice(0, 17)}`,
      createdAt: 0,
      tags: new Map(),
      document,
      statements: Result.getOrThrow(Policy.parse(document))
    }
    return [policy.arn, policy]
  })
)

export const findPolicy = (
  { policies }: Account.Account,
  wanted: string
): ManagedPolicy | undefined => policies.get(wanted) ?? awsManaged.get(wanted)

/** The one version that a policy has here. */
const version = "v1"

export const managedPolicies = (account: Account.Account): ReadonlyArray<Operation> => {
  const find = Effect.fnUntraced(function* (call: Account.Caller, action: string, wanted: string) {
    yield* Account.authorize(account, call, `iam:${action}`, wanted, { told: `policy ${wanted}` })
    return findPolicy(account, wanted) ?? (yield* noSuchEntity(`Policy ${wanted} was not found.`))
  })

  const attachmentsOf = (policy: ManagedPolicy) =>
    [...account.roles.values()].filter(({ attached }) => attached.has(policy.arn)).length

  const describe = (policy: ManagedPolicy) => ({
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: version,
    AttachmentCount: `${attachmentsOf(policy)}`,
    IsAttachable: "true",
    CreateDate: date(policy.createdAt),
    UpdateDate: date(policy.createdAt),
    ...tagsIn(policy.tags)
  })

  return [
    operation(
      "CreatePolicy",
      {
        PolicyName: policyName,
        PolicyDocument: policyDocument,
        Path: path,
        Description: Shape.optional(Shape.string({ max: 1000 })),
        Tags: Shape.optional(Shape.list)
      },
      Effect.fnUntraced(function* (input, call) {
        const { Path = "/", PolicyName: name, Tags: list = [] } = input
        const wanted = `arn:aws:iam::${account.id}:policy${Path}${name}`
        const told = { told: `policy ${wanted}` }
        yield* Account.authorize(account, call, "iam:CreatePolicy", wanted, told)
        if (list.length > 0) {
          yield* Account.authorize(account, call, "iam:TagPolicy", wanted, told)
        }
        if ([...account.policies.values()].some((each) => each.name === name)) {
          return yield* alreadyExists(
            `A policy called ${name} already exists. Duplicate names are not allowed.`
          )
        }
        const document = yield* read(input.PolicyDocument, Policy.parse)
        if (sizeOf(input.PolicyDocument) > longest) {
          return yield* limitExceeded(`Cannot exceed quota for PolicySize: ${longest}`)
        }
        const policy: ManagedPolicy = {
          ...document,
          arn: wanted,
          name,
          path: Path,
          id: Account.newPolicyId(),
          createdAt: call.now,
          tags: yield* readTags(list)
        }
        account.policies.set(wanted, policy)
        return { Policy: describe(policy) }
      })
    ),
    operation(
      "GetPolicy",
      { PolicyArn: arn },
      Effect.fnUntraced(function* ({ PolicyArn }, call) {
        return { Policy: describe(yield* find(call, "GetPolicy", PolicyArn)) }
      })
    ),
    operation(
      "GetPolicyVersion",
      { PolicyArn: arn, VersionId: Shape.string({ pattern: "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?" }) },
      Effect.fnUntraced(function* ({ PolicyArn, VersionId }, call) {
        const { createdAt, document } = yield* find(call, "GetPolicyVersion", PolicyArn)
        if (VersionId !== version) {
          return yield* noSuchEntity(
            `Policy ${PolicyArn} version ${VersionId} does not exist or is not attachable.`
          )
        }
        return {
          PolicyVersion: {
            Document: encodeURIComponent(document),
            VersionId,
            IsDefaultVersion: "true",
            CreateDate: date(createdAt)
          }
        }
      })
    ),
    operation(
      "DeletePolicy",
      { PolicyArn: arn },
      Effect.fnUntraced(function* ({ PolicyArn }, call) {
        const policy = yield* find(call, "DeletePolicy", PolicyArn)
        if (attachmentsOf(policy) > 0) {
          return yield* deleteConflict("Cannot delete a policy attached to entities.")
        }
        // AWS's own are nobody's to delete.
        if (!account.policies.delete(PolicyArn)) {
          return yield* noSuchEntity(`Policy ${PolicyArn} was not found.`)
        }
        return undefined
      })
    )
  ]
}
