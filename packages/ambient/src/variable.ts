/** A token that the platform has put into an environment variable. */
import { Assertion, Misconfigured, Unavailable } from "@federate/core"
import type { AssertionSource, Reason } from "@federate/core"
import { platformEnvironment } from "@federate/http"
import type { Environment } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { fit } from "./fit.ts"
import type { Left } from "./fit.ts"

export interface TokenVariable extends Omit<Left, "setting" | "place"> {
  readonly variable: string
  /** What would make it be set. */
  readonly absent: string
  /** Default: the process's. */
  readonly environment: Environment | undefined
}

/** Read each time. Not set, or empty, it is `Unavailable`. */
export const tokenInVariable = Effect.fnUntraced(function* (
  request: AssertionSource.AssertionRequest,
  { absent, environment = platformEnvironment, variable, ...left }: TokenVariable
): Effect.fn.Return<Assertion.Assertion, Reason> {
  const obtainedAt = yield* Clock.currentTimeMillis
  const text = environment(variable)
  if (text === undefined) {
    return yield* Effect.fail(new Unavailable({ detail: `${variable} is not set`, hint: absent }))
  }
  const token = Redacted.make(text.trim())
  return yield* Effect.fromResult(
    Result.flatMap(Assertion.fromJwt(token, { obtainedAt }), (assertion) =>
      fit(request, assertion, { ...left, setting: variable, place: variable })
    )
  )
})

/** Whether a text can be a variable's name, or with `part` the end of one. */
export const checkedName = (
  setting: string,
  name: string,
  part = false
): Result.Result<string, Misconfigured> =>
  (part ? /^\w+$/ : /^[A-Za-z_]\w*$/).test(name)
    ? Result.succeed(name)
    : Result.fail(
        new Misconfigured({
          setting,
          problem: "is no name of an environment variable",
          hint: "Write the name, of letters, digits and underscores: neither its value nor a $."
        })
      )
