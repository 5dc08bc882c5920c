/** An environment variable as an assertion source: the JWT that a platform puts there. */
import { AssertionSource, configured } from "@federate/core"
import type { FederationError } from "@federate/core"
import type { Environment } from "@federate/http"
import * as Effect from "effect/Effect"
import { checkedName, tokenInVariable } from "./variable.ts"

export interface EnvironmentOptions {
  /** Its name. */
  readonly variable: string
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "environment"

/** Read each time. Not set, or empty, it is `Unavailable`. */
export const environment = Effect.fnUntraced(function* ({
  environment: variables,
  variable
}: EnvironmentOptions): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  yield* configured(name, checkedName("variable", variable))
  return AssertionSource.make({
    name,
    assertion: (request) =>
      tokenInVariable(request, {
        variable,
        environment: variables,
        absent: `Run where the platform sets ${variable}, and hand it on to this process.`,
        audience: (audience) => `Let the platform make the token for "${audience}".`,
        renewal:
          "A variable is set once, when the process starts: take a token that lives as long, or a source that is renewed. Or mend this machine's clock."
      })
  })
})
