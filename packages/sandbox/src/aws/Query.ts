/** The services that speak AWS Query: a form with `Action` and `Version` to `/`, and XML back. */
import * as Effect from "effect/Effect"
import { form } from "../kernel/Http.ts"
import type { Endpoint } from "../kernel/Endpoint.ts"
import type { Request } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import type { AccessKey, Account } from "./Account.ts"
import { AwsError, imposed, queryProtocol } from "./AwsError.ts"
import * as SigV4 from "./SigV4.ts"
import type * as Xml from "./Xml.ts"

interface Operation {
  readonly endpoint: Endpoint
  /** The `…Result` element's content; nothing for an action without a result. */
  readonly run: (call: {
    readonly parameters: Readonly<Record<string, string>>
    readonly caller: AccessKey
    /** Epoch milliseconds. */
    readonly now: number
  }) => Effect.Effect<Xml.Content | undefined, AwsError>
}

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
    function* (request: Request, parameters: Readonly<Record<string, string>>) {
      const now = yield* clock.now(name)
      const caller = yield* SigV4.verify(request, { account, service: name, now })
      const action = parameters["Action"] ?? ""
      const operation = find(action)
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
