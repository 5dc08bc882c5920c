/** Buildkite as an assertion source: a token about the job, for whatever audience is asked for. */
import { AssertionSource, configured, Misconfigured, Unavailable } from "@federate/core"
import type { FederationError } from "@federate/core"
import { endpoint, platformEnvironment } from "@federate/http"
import type { Environment, Fetch } from "@federate/http"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { chosenAudience } from "./audience.ts"
import { field, signed } from "./signing.ts"

export interface BuildkiteOptions {
  /**
   * Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers; without
   * a wish of its own Buildkite's default, the organization's URL.
   */
  readonly audience?: string | undefined
  /** Whole seconds. Default: Buildkite's own, 5 minutes. */
  readonly lifetime?: Duration.Input | undefined
  /**
   * The claim that becomes the subject, such as `pipeline_id`. Default: Buildkite's own, which holds the commit and the
   * step, so that no exact trust fits it twice.
   */
  readonly subjectClaim?: string | undefined
  /** Claims that it shall hold besides, such as `organization_id`. */
  readonly claims?: ReadonlyArray<string> | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "buildkite"

/**
 * What `buildkite-agent oidc request-token` does (https://buildkite.com/docs/agent/v3/cli-oidc), without the command: a
 * new token whenever it is asked for, signed by `https://agent.buildkite.com`. Outside of a job it is `Unavailable`.
 */
export const buildkite = Effect.fnUntraced(function* (
  options: BuildkiteOptions = {}
): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const { audience, claims, environment = platformEnvironment, fetch, subjectClaim } = options
  const { api, lifetime } = yield* configured(name, checked(options, environment))
  return AssertionSource.make({
    name,
    offers: { issuer: "https://agent.buildkite.com", audience: "any", algorithms: ["RS256"] },
    assertion: (request) => {
      const job = environment(jobVariable)
      const agent = environment(tokenVariable)
      if (job === undefined || agent === undefined) return Effect.fail(absent)
      return signed({
        who: "Buildkite",
        fetch,
        request: {
          url: `${api}/jobs/${encodeURIComponent(job)}/oidc/tokens`,
          method: "POST",
          headers: {
            authorization: `Token ${agent}`,
            "content-type": "application/json",
            accept: "application/json"
          },
          // What is undefined is left out.
          body: JSON.stringify({
            audience: chosenAudience(request, audience),
            lifetime,
            claims,
            subject_claim: subjectClaim
          })
        },
        token: field("token"),
        hint: (status) =>
          status === 401 || status === 403 || status === 404
            ? `Ask while the job runs, with the ${jobVariable} and ${tokenVariable} that its agent has set; in a container, hand both on.`
            : "Compare `lifetime`, `claims` and `subjectClaim` with what `buildkite-agent oidc request-token --help` lists."
      })
    }
  })
})

const endpointVariable = "BUILDKITE_AGENT_ENDPOINT"
const jobVariable = "BUILDKITE_JOB_ID"
const tokenVariable = "BUILDKITE_AGENT_ACCESS_TOKEN"

const absent = new Unavailable({
  detail: `${jobVariable} and ${tokenVariable} are not both set`,
  hint: "Run in a Buildkite job. In a container, hand both variables on: Docker's plugin does with `propagate-environment: true`."
})

/** What can be told to be wrong before any call. */
const checked = (
  options: BuildkiteOptions,
  environment: Environment
): Result.Result<{ readonly api: string; readonly lifetime?: number }, Misconfigured> =>
  Result.gen(function* () {
    const { href } = yield* endpoint(
      endpointVariable,
      environment(endpointVariable) ?? "https://agent.buildkite.com/v3"
    )
    const api = href.replace(/\/+$/, "")
    if (options.lifetime === undefined) return { api }
    const lifetime = Duration.toSeconds(Duration.fromInputUnsafe(options.lifetime))
    return Number.isInteger(lifetime) && lifetime > 0
      ? { api, lifetime }
      : yield* Result.fail(
          new Misconfigured({
            setting: "lifetime",
            problem: `is ${lifetime} s`,
            hint: "Write whole seconds, at least one; or leave it out for 5 minutes."
          })
        )
  })
