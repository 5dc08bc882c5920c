/** What sets a trust up in IAM, for any adapter: the workload's role, and what it may do. */
import { inConfiguration, Misconfigured } from "@federate/core"
import type { Found, Prerequisite, Reference, Resource, State } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Iam } from "./iam.ts"
import { side } from "./writers.ts"

export { side, tagsOf, writers } from "./writers.ts"

/** A name of IAM's, that may be left out: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const iamName = (description: string, longest: number) =>
  Schema.optionalKey(
    Schema.String.annotate({ description }).check(
      Schema.isPattern(/^[\w+=,.@-]+$/, { expected: "letters, digits and any of _+=,.@-" }),
      Schema.isMaxLength(longest)
    )
  )

/** The name that a thing of a flow's has where none is chosen. */
export const usualName = (flow: string, longest: number): string =>
  `federate-${flow.replace(/[^\w+=,.@-]/g, "-")}`.slice(0, longest)

/** The key of the tag that is our mark; the flow's name is its value. */
export const tag = "federate"

export const isMarked = (
  flow: string,
  tags: ReadonlyArray<{
    readonly Key?: string | undefined
    readonly Value?: string | undefined
  }> = []
): boolean => tags.some(({ Key, Value }) => Key === tag && Value === flow)

/** A policy document as IAM gives it, percent-encoded (RFC 3986); nothing when it is none. */
export const readPolicy = (encoded: string | undefined): unknown =>
  Result.getOrUndefined(Result.try((): unknown => JSON.parse(decodeURIComponent(encoded ?? ""))))

/** Whose trust is set up, and through which client. */
export interface Workload {
  readonly iam: Iam
  /** Who sets it up, for errors: the adapter's `type`. */
  readonly adapter: string
  readonly flow: string
  /** The name of the role that the workload runs as. */
  readonly role: string
}

const noRole = ({ adapter, flow, role }: Workload) =>
  Effect.fail(
    new Misconfigured({
      setting: `trust.${flow}.source.role`,
      problem: `there is no role "${role}" in this account`,
      hint: "Write the name of the role that the workload runs as; a Lambda's is told by `aws lambda get-function-configuration --query Role`. Whose account it is: `aws sts get-caller-identity`."
    })
  ).pipe(inConfiguration(adapter))

/** Makes `workloadRoleArn` known. */
export const workloadRole = (workload: Workload): Prerequisite => ({
  side,
  kind: "workload role",
  name: workload.role,
  makes: ["workloadRoleArn"],
  ask: Effect.fnUntraced(function* () {
    const answer = yield* workload.iam
      .call((client, sdk, abortSignal) =>
        client.send(new sdk.GetRoleCommand({ RoleName: workload.role }), { abortSignal })
      )
      .pipe(inConfiguration(workload.adapter))
    const arn = answer?.Role?.Arn
    return arn === undefined ? yield* noRole(workload) : { workloadRoleArn: arn }
  })
})

/**
 * One inline policy of the workload's role (https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html).
 *
 * @param statements what it allows; the first of them will bear our mark
 */
export const rolePolicy = (
  workload: Workload,
  policy: string,
  statements: (of: Reference) => readonly [State, ...ReadonlyArray<State>]
): Resource => {
  const { adapter, flow, iam, role } = workload
  // Inline policies have no tags. A statement's id is of letters and digits.
  const mark = `Federate${flow.replace(/[^A-Za-z0-9]/g, "")}`
  const key = { RoleName: role, PolicyName: policy }

  const put = Effect.fnUntraced(function* ({ document }: State) {
    const done = yield* iam
      .call((client, sdk, abortSignal) =>
        client.send(
          new sdk.PutRolePolicyCommand({ ...key, PolicyDocument: JSON.stringify(document) }),
          { abortSignal }
        )
      )
      .pipe(inConfiguration(adapter))
    if (done === undefined) return yield* noRole(workload)
  })

  return {
    side,
    kind: "role policy",
    name: policy,
    makes: [],
    own: [],
    desired: (of) => {
      const [first, ...more] = statements(of)
      return {
        role,
        document: {
          Version: "2012-10-17",
          Statement: [
            { Sid: mark, Effect: "Allow", ...first },
            ...more.map((each) => ({ Effect: "Allow", ...each }))
          ]
        }
      }
    },
    read: Effect.fnUntraced(function* () {
      const answer = yield* iam
        .call((client, sdk, abortSignal) =>
          client.send(new sdk.GetRolePolicyCommand(key), { abortSignal })
        )
        .pipe(inConfiguration(adapter))
      if (answer?.PolicyDocument === undefined) return undefined
      const document = readPolicy(answer.PolicyDocument)
      return {
        state: { role, document },
        known: {},
        isOurs: statementsIn(document).some(({ Sid }) => Sid === mark)
      } satisfies Found
    }),
    create: put,
    update: (_, desired) => put(desired),
    remove: () =>
      iam
        .call((client, sdk, abortSignal) =>
          client.send(new sdk.DeleteRolePolicyCommand(key), { abortSignal })
        )
        .pipe(Effect.asVoid, inConfiguration(adapter))
  }
}

/** One alone may stand without its list. */
const statementsIn = (document: unknown): ReadonlyArray<State> => {
  if (!Predicate.isObject(document) || !("Statement" in document)) return []
  const { Statement: all } = document
  return (Array.isArray(all) ? all : [all]).filter(Predicate.isObject)
}
