/** The services that speak AWS Query: a form with `Action` and `Version` to `/`, and XML back. */
import * as Effect from "effect/Effect"
import { form } from "../kernel/Http.ts"
import type { Endpoint } from "../kernel/Endpoint.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import type { Account, Caller } from "./Account.ts"
import { AwsError, imposed, queryProtocol } from "./AwsError.ts"
import * as SigV4 from "./SigV4.ts"
import type * as Xml from "./Xml.ts"

interface Call {
  /** By name; lists (`Name.member.1`) as lists. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Epoch milliseconds. */
  readonly now: number
}

/** The `…Result` element's content; nothing for an action without a result. */
export type Result = Effect.Effect<Xml.Content | undefined, AwsError>

/** A call, and who signed it. */
export interface Signed extends Call, Caller {}

export interface SignedOperation {
  readonly endpoint: Endpoint
  readonly run: (call: Signed) => Result
}

/** An operation that takes no signature. */
interface UnsignedOperation {
  readonly endpoint: Endpoint
  readonly runUnsigned: (call: Call) => Result
}

type Operation = SignedOperation | UnsignedOperation

export interface Options {
  readonly name: "iam" | "sts"
  readonly version: string
  readonly namespace: string
  readonly account: Account
  readonly clock: ServiceClock
  readonly operations: Readonly<Record<string, Operation>>
}

export const make = (options: Options): Service => {
  const { account, clock, name, namespace, operations, version } = options
  const find = (action: string): Operation | undefined =>
    Object.hasOwn(operations, action) ? operations[action] : undefined
  const perform = Effect.fnUntraced(
    function* (request: Request, flat: Readonly<Record<string, string>>) {
      const now = yield* clock.now(name)
      const action = flat["Action"] ?? ""
      const parameters = nested(flat)
      const operation = find(action)
      if (operation !== undefined && "runUnsigned" in operation) {
        // Without a signature nothing tells whose it would be.
        if ("x-amz-security-token" in request.headers) return yield* SigV4.unknownToken
        return queryProtocol.success(
          namespace,
          action,
          yield* operation.runUnsigned({ parameters, now })
        )
      }
      const caller = yield* SigV4.verify(request, { account, service: name, now })
      if (operation === undefined) {
        return yield* new AwsError({
          code: "UnknownOperationException",
          message: `Could not find operation ${action} for version ${version}`
        })
      }
      const result = yield* operation.run({ parameters, caller, now })
      return queryProtocol.success(namespace, action, result)
    },
    Effect.catch((error) => Effect.succeed(queryProtocol.failure(namespace, error)))
  )
  return {
    name,
    route: (request) => {
      if (request.method !== "POST" || request.path !== "/") return undefined
      const parameters = Object.fromEntries(form(request))
      if (parameters["Version"] !== version || "x-amz-target" in request.headers) return undefined
      const endpoint = find(parameters["Action"] ?? "")?.endpoint
      return { ...(endpoint && { endpoint }), answer: perform(request, parameters) }
    },
    failure: (_request, failure) =>
      Effect.succeed(queryProtocol.failure(namespace, imposed(failure)))
  }
}

/** Lists are written `Name.member.1`, lists of structures `Name.member.1.Field`. */
const nested = (flat: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> => {
  const parameters = new Map<string, string | Array<string | Record<string, string>>>()
  for (const [name, value] of Object.entries(flat)) {
    const member = /^(\w+)\.member\.([1-9]\d{0,2})(?:\.(\w+))?$/.exec(name)
    if (member === null) {
      parameters.set(name, value)
      continue
    }
    const [, list = "", position, field] = member
    const known = parameters.get(list)
    const items = Array.isArray(known) ? known : []
    const at = Number(position) - 1
    const item = items[at]
    items[at] =
      field === undefined ? value : { ...(typeof item === "object" && item), [field]: value }
    parameters.set(list, items)
  }
  return Object.fromEntries(parameters)
}
