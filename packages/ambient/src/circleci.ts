/** CircleCI as an assertion source: the token that a job has, or one for another audience by CircleCI's own command. */
import { Assertion, AssertionSource, Unavailable } from "@federate/core"
import type { Reason } from "@federate/core"
import { platformEnvironment } from "@federate/http"
import type { Environment } from "@federate/http"
import { run } from "@federate/local"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { chosenAudience } from "./audience.ts"
import { tokenInVariable } from "./variable.ts"

export interface CircleciOptions {
  /**
   * Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers; without
   * a wish of its own CircleCI's default, the organization's id.
   */
  readonly audience?: string | undefined
  /** CircleCI's command, which every job has. Default: `circleci`, looked for in `PATH`. */
  readonly command?: string | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const newer = "CIRCLE_OIDC_TOKEN_V2"
const inJob = "Run in a CircleCI job."

/**
 * https://circleci.com/docs/openid-connect-tokens/: an hour, signed by `https://oidc.circleci.com/org/ORGANIZATION`. The
 * token in `CIRCLE_OIDC_TOKEN_V2` (or the older `CIRCLE_OIDC_TOKEN`) is for the organization's id; for another audience
 * `circleci run oidc get` is run. Its subject holds who started the pipeline. Outside of a job it is `Unavailable`.
 */
export const circleci = ({
  audience,
  command = "circleci",
  environment = platformEnvironment
}: CircleciOptions = {}): Effect.Effect<AssertionSource.AssertionSource> =>
  Effect.succeed(
    AssertionSource.make({
      name: "circleci",
      offers: { audience: "any", algorithms: ["RS256"] },
      assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
        Assertion.Assertion,
        Reason
      > {
        const wanted = chosenAudience(request, audience)
        if (wanted === undefined || wanted === environment("CIRCLE_ORGANIZATION_ID")) {
          return yield* tokenInVariable(
            {},
            {
              variable: environment(newer) === undefined ? "CIRCLE_OIDC_TOKEN" : newer,
              environment,
              absent: inJob,
              renewal:
                "CircleCI signs it when the job starts, for an hour. Name an `audience`: for that a new one is made each time."
            }
          )
        }
        if (environment("CIRCLECI") === undefined) {
          return yield* Effect.fail(new Unavailable({ detail: "CIRCLECI is not set", hint: inJob }))
        }
        const obtainedAt = yield* Clock.currentTimeMillis
        const printed = yield* run({
          setting: "command",
          path: command,
          args: ["run", "oidc", "get", "--claims", JSON.stringify({ aud: wanted })]
        })
        return yield* Effect.fromResult(
          // It signs when it is run.
          Assertion.fromJwt(printed, { obtainedAt, issuerTime: "iat" })
        )
      })
    })
  )
