/** Who may do what, in IAM's policies as AWS's tools print them. */
import { like } from "@federate/trust"
import * as Predicate from "effect/Predicate"

/** What one statement allows. */
export interface Grant {
  /** Whose it is, where the document says it: `role reader`. */
  readonly holder: string | undefined
  /** The policy's name, where the document says it. */
  readonly policy: string | undefined
  readonly resources: ReadonlyArray<string>
  /** By operator, then by key. */
  readonly condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/**
 * The statements that allow an action, in any of these: a policy by itself, what `aws iam get-role-policy` (or a user's,
 * a group's) and `get-policy-version` print, and all of an account by `get-account-authorization-details`. What a
 * `Deny` takes away again is not looked at.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 *
 * @param action `service:Action`
 */
export const grantsOf = (document: unknown, action: string): ReadonlyArray<Grant> =>
  policiesIn(document).flatMap(({ document: policy, holders, name }) =>
    holders.flatMap((holder) =>
      list(policy["Statement"])
        .filter(Predicate.isObject)
        .filter((statement) => isAllowing(statement as Members, action))
        .map((each): Grant => {
          const { Condition, Resource } = each as Members
          return {
            holder,
            policy: name,
            resources: texts(Resource),
            // An object's members are themselves looked at where they are read.
            condition: Predicate.isObject(Condition) ? (Condition as Grant["condition"]) : {}
          }
        })
    )
  )

/** Whether an ARN fits one with wildcards (`*`, `?`), in its own case. */
export const fits = (pattern: string, value: string): boolean => like(pattern).test(value)

type Members = Readonly<Record<string, unknown>>

interface Policy {
  readonly document: Members
  /** Who has it; nobody that is known is one, too. */
  readonly holders: ReadonlyArray<string | undefined>
  readonly name: string | undefined
}

const policiesIn = (document: unknown): ReadonlyArray<Policy> => {
  if (!Predicate.isObject(document)) return []
  const { PolicyDocument, PolicyName, PolicyVersion, RoleName, Statement, UserName, GroupName } =
    document as Members
  if (Statement !== undefined) {
    return [{ document: document as Members, holders: [undefined], name: undefined }]
  }
  if (Predicate.isObject(PolicyDocument)) {
    const [holder] = [
      named("role", RoleName),
      named("user", UserName),
      named("group", GroupName)
    ].flat()
    return [{ document: PolicyDocument as Members, holders: [holder], name: text(PolicyName) }]
  }
  const version = members(PolicyVersion)["Document"]
  if (Predicate.isObject(version)) {
    return [{ document: version as Members, holders: [undefined], name: undefined }]
  }
  return ofAccount(document as Members)
}

/** `aws iam get-account-authorization-details`. */
const ofAccount = (details: Members): ReadonlyArray<Policy> => {
  const principals = (
    [
      ["RoleDetailList", "RolePolicyList", "role", "RoleName"],
      ["UserDetailList", "UserPolicyList", "user", "UserName"],
      ["GroupDetailList", "GroupPolicyList", "group", "GroupName"]
    ] as const
  ).flatMap(([principalsKey, inline, kind, nameKey]) =>
    list(details[principalsKey]).map((principal) => ({
      holder: `${kind} ${text(members(principal)[nameKey]) ?? "without a name"}`,
      inline: list(members(principal)[inline]).map(members),
      attached: list(members(principal)["AttachedManagedPolicies"]).map(
        (policy) => members(policy)["PolicyArn"]
      )
    }))
  )
  return [
    ...principals.flatMap(({ holder, inline }) =>
      inline.map((policy) => ({
        document: members(policy["PolicyDocument"]),
        holders: [holder],
        name: text(policy["PolicyName"])
      }))
    ),
    ...list(details["Policies"])
      .map(members)
      .flatMap((policy) =>
        list(policy["PolicyVersionList"])
          .map(members)
          .filter(({ IsDefaultVersion }) => IsDefaultVersion === true)
          .map((version) => ({
            document: members(version["Document"]),
            holders: principals
              .filter(({ attached }) => attached.includes(policy["Arn"]))
              .map(({ holder }) => holder),
            name: text(policy["PolicyName"])
          }))
      )
  ]
}

/** Actions have no case. What names a principal is a trust policy, and a resource's own. */
const isAllowing = ({ Action, Effect, NotAction, Principal }: Members, action: string): boolean =>
  Effect === "Allow" &&
  Principal === undefined &&
  (NotAction === undefined
    ? texts(Action).some((pattern) => like(pattern, "i").test(action))
    : !texts(NotAction).some((pattern) => like(pattern, "i").test(action)))

const members = (value: unknown): Members => (Predicate.isObject(value) ? (value as Members) : {})

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const named = (kind: string, name: unknown): ReadonlyArray<string> =>
  typeof name === "string" ? [`${kind} ${name}`] : []

const list = (value: unknown): ReadonlyArray<unknown> =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

const texts = (value: unknown): ReadonlyArray<string> =>
  list(value).filter((each) => typeof each === "string")
