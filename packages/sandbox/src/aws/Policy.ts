/**
 * The part of IAM's policy language that the sandbox knows: Allow and Deny of actions on resources, with `*` and `?`
 * and conditions, as a role has it; and who may assume the role. Everything else is refused when the policy is written,
 * never ignored when it is read.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Condition from "./Condition.ts"
import { matches } from "./Condition.ts"

interface Common {
  readonly effect: "Allow" | "Deny"
  /** Compared without regard to case. */
  readonly actions: ReadonlyArray<string>
  readonly conditions: ReadonlyArray<Condition.Condition>
}

export interface Statement extends Common {
  readonly resources: ReadonlyArray<string>
}

/** Of a role's trust policy. */
export interface TrustStatement extends Common {
  /** By kind: `Federated`, `AWS`, `Service`. */
  readonly principals: Readonly<Record<string, ReadonlyArray<string>>>
}

export type Decision = "allowed" | "denied" | "not allowed"

/** An explicit Deny wins; without an Allow nothing is allowed. */
export const evaluate = (
  statements: ReadonlyArray<Statement>,
  action: string,
  resource: string,
  context: Condition.Context = {}
): Decision =>
  decide(
    statements.filter(({ resources }) => resources.some((pattern) => matches(pattern, resource))),
    action,
    context
  )

/** The same for whom a trust policy lets in, by an identity provider's ARN or name. */
export const evaluateTrust = (
  statements: ReadonlyArray<TrustStatement>,
  action: string,
  provider: string,
  context: Condition.Context
): Decision =>
  decide(
    statements.filter(({ principals }) => principals["Federated"]?.includes(provider) === true),
    action,
    context
  )

const decide = (
  statements: ReadonlyArray<Common>,
  action: string,
  context: Condition.Context
): Decision => {
  const applying = statements.filter(
    ({ actions, conditions }) =>
      actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
      Condition.evaluate(conditions, context)
  )
  if (applying.some(({ effect }) => effect === "Deny")) return "denied"
  return applying.some(({ effect }) => effect === "Allow") ? "allowed" : "not allowed"
}

/** Reads a role's policy. The failure is the text of a MalformedPolicyDocument. */
export const parse = (document: string): Result.Result<ReadonlyArray<Statement>, string> =>
  parseDocument(document, statement)

/** Reads a role's trust policy. */
export const parseTrust = (
  document: string
): Result.Result<ReadonlyArray<TrustStatement>, string> => parseDocument(document, trustStatement)

const parseDocument = <A>(
  document: string,
  read: (statement: Readonly<Record<string, unknown>>) => Result.Result<A, string>
): Result.Result<ReadonlyArray<A>, string> => {
  const parsed = Result.try((): unknown => JSON.parse(document))
  if (Result.isFailure(parsed) || !Predicate.isObject(parsed.success)) return syntaxError
  const { Id, Statement: statements, Version, ...rest } = parsed.success
  const extra = Object.keys(rest)[0]
  if (extra !== undefined) return syntaxError
  if (Id !== undefined && typeof Id !== "string") return syntaxError
  if (Version !== undefined && Version !== "2012-10-17" && Version !== "2008-10-17") {
    return syntaxError
  }
  if (statements === undefined) return syntaxError
  return Result.all(
    (Array.isArray(statements) ? statements : [statements]).map((value: unknown) =>
      // Its elements are checked one by one.
      Predicate.isObject(value) ? read(value as Readonly<Record<string, unknown>>) : syntaxError
    )
  )
}

const syntaxError = Result.fail("Syntax errors in policy.")

/** Elements that IAM has and the sandbox does not. */
const unsupported = ["NotAction", "NotPrincipal", "NotResource"]

const common = ({
  Action,
  Condition: condition,
  Effect,
  Sid,
  ...rest
}: Readonly<Record<string, unknown>>) =>
  Result.gen(function* () {
    const foreign = unsupported.find((element) => element in rest)
    if (foreign !== undefined) {
      return yield* Result.fail(
        `The sandbox does not evaluate ${foreign}, and does not ignore it either: write the statement without it.`
      )
    }
    if (Sid !== undefined && typeof Sid !== "string") return yield* syntaxError
    if (Effect !== "Allow" && Effect !== "Deny") return yield* syntaxError
    const actions = strings(Action)
    if (actions === undefined) return yield* Result.fail("Policy statement must contain actions.")
    if (!actions.every((action) => action === "*" || /^[a-z0-9-]+:[\w*?]+$/i.test(action))) {
      return yield* Result.fail(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
      )
    }
    const conditions = yield* Condition.parse(condition)
    const read: Common = { effect: Effect, actions, conditions }
    return { read, rest }
  })

const statement = (value: Readonly<Record<string, unknown>>): Result.Result<Statement, string> =>
  Result.gen(function* () {
    if ("Principal" in value || "NotPrincipal" in value) {
      return yield* Result.fail("Policy document should not specify a principal.")
    }
    const { read, rest } = yield* common(value)
    const { Resource, ...more } = rest
    if (Object.keys(more).length > 0) return yield* syntaxError
    const resources = strings(Resource)
    if (resources === undefined) {
      return yield* Result.fail("Policy statement must contain resources.")
    }
    const bad = resources.find((resource) => resource !== "*" && !isArn(resource))
    if (bad !== undefined) {
      return yield* Result.fail(`Resource ${bad} must be in ARN format or "*".`)
    }
    if (resources.some((resource) => resource.includes("${"))) {
      return yield* Result.fail(
        "The sandbox does not know policy variables, and does not ignore them either: write the value itself."
      )
    }
    return { ...read, resources }
  })

const trustStatement = (
  value: Readonly<Record<string, unknown>>
): Result.Result<TrustStatement, string> =>
  Result.gen(function* () {
    if ("Resource" in value) return yield* Result.fail("Has prohibited field Resource")
    const { read, rest } = yield* common(value)
    const { Principal, ...more } = rest
    if (Object.keys(more).length > 0) return yield* syntaxError
    if (!Predicate.isObject(Principal))
      return yield* Result.fail("Missing required field Principal")
    const principals: Record<string, ReadonlyArray<string>> = {}
    for (const [kind, named] of Object.entries(Principal)) {
      const all = strings(named)
      if (all === undefined || !principalKinds.has(kind)) return yield* syntaxError
      principals[kind] = all
    }
    const bad = principals["Federated"]?.find((one) => !isProvider(one))
    if (bad !== undefined) return yield* Result.fail("Invalid principal in policy")
    return { ...read, principals }
  })

const principalKinds = new Set(["AWS", "Federated", "Service"])

/** An identity provider of an account, or one that AWS knows by itself. */
const isProvider = (principal: string): boolean =>
  /^(?:arn:aws:iam::\d{12}:(?:oidc|saml)-provider\/.+|[a-z0-9.-]+\.(?:com|net))$/.test(principal)

const isArn = (resource: string): boolean => /^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+$/s.test(resource)

/** One string, or a list of at least one. */
const strings = (value: unknown): ReadonlyArray<string> | undefined => {
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  return list.length > 0 && list.every(Predicate.isString) ? list : undefined
}
