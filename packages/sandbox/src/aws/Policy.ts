/**
 * The part of IAM's policy language that the sandbox knows: Allow and Deny of actions on resources, with `*` and `?`.
 * Everything else is refused when the policy is written, never ignored when it is read.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"

export interface Statement {
  readonly effect: "Allow" | "Deny"
  /** Compared without regard to case. */
  readonly actions: ReadonlyArray<string>
  readonly resources: ReadonlyArray<string>
}

export type Decision = "allowed" | "denied" | "not allowed"

/** An explicit Deny wins; without an Allow nothing is allowed. */
export const evaluate = (
  statements: ReadonlyArray<Statement>,
  action: string,
  resource: string
): Decision => {
  const applying = statements.filter(
    ({ actions, resources }) =>
      actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
      resources.some((pattern) => matches(pattern, resource))
  )
  if (applying.some(({ effect }) => effect === "Deny")) return "denied"
  return applying.some(({ effect }) => effect === "Allow") ? "allowed" : "not allowed"
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[\\^$+.()|{}[\]]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "s"
  ).test(text)

/** Reads a policy. The failure is the text of a MalformedPolicyDocument. */
export const parse = (document: string): Result.Result<ReadonlyArray<Statement>, string> => {
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
  return Result.all((Array.isArray(statements) ? statements : [statements]).map(statement))
}

const syntaxError = Result.fail("Syntax errors in policy.")

/** Elements that IAM has and the sandbox does not. */
const unsupported = ["Condition", "NotAction", "NotResource"]

const statement = (value: unknown): Result.Result<Statement, string> => {
  if (!Predicate.isObject(value)) return syntaxError
  const foreign = unsupported.find((element) => element in value)
  if (foreign !== undefined) {
    return Result.fail(
      `The sandbox does not evaluate ${foreign}, and does not ignore it either: write the statement without it.`
    )
  }
  if ("Principal" in value || "NotPrincipal" in value) {
    return Result.fail("Policy document should not specify a principal.")
  }
  const { Action, Effect, Resource, Sid, ...rest } = value
  if (Object.keys(rest).length > 0 || (Sid !== undefined && typeof Sid !== "string")) {
    return syntaxError
  }
  if (Effect !== "Allow" && Effect !== "Deny") return syntaxError
  const actions = strings(Action)
  const resources = strings(Resource)
  if (actions === undefined) return Result.fail("Policy statement must contain actions.")
  if (resources === undefined) return Result.fail("Policy statement must contain resources.")
  if (!actions.every((action) => action === "*" || /^[a-z0-9-]+:[\w*?]+$/i.test(action))) {
    return Result.fail("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
  }
  const bad = resources.find((resource) => resource !== "*" && !isArn(resource))
  if (bad !== undefined) return Result.fail(`Resource ${bad} must be in ARN format or "*".`)
  if (resources.some((resource) => resource.includes("${"))) {
    return Result.fail(
      "The sandbox does not know policy variables, and does not ignore them either: write the value itself."
    )
  }
  return Result.succeed({ effect: Effect, actions, resources })
}

const isArn = (resource: string): boolean => /^arn:[^:]*:[^:]*:[^:]*:[^:]*:.+$/s.test(resource)

/** One string, or a list of at least one. */
const strings = (value: unknown): ReadonlyArray<string> | undefined => {
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  return list.length > 0 && list.every(Predicate.isString) ? list : undefined
}
