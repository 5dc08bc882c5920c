/** GitHub Actions as an assertion source: a token about the job, for whatever audience is asked for. */
import { AssertionSource, configured, Unavailable } from "@federate/core"
import type { FederationError } from "@federate/core"
import { endpoint, platformEnvironment } from "@federate/http"
import type { Environment, Fetch } from "@federate/http"
import * as Effect from "effect/Effect"
import { chosenAudience } from "./audience.ts"
import { field, signed } from "./signing.ts"

export interface GithubActionsOptions {
  /**
   * Whom the assertion is for where the relying party demands nobody. Without it, whom the relying party prefers; without
   * a wish of its own GitHub's default, the URL of the repository's owner.
   */
  readonly audience?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "github-actions"

/**
 * https://docs.github.com/actions/reference/security/oidc: a token of 5 minutes, a new one whenever it is asked for. Its
 * issuer is `https://token.actions.githubusercontent.com` on github.com, its subject the repository with the job's
 * environment, or the pull request, or the branch or tag. Outside of a job, and in one that lacks the permission
 * `id-token: write`, it is `Unavailable`.
 */
export const githubActions = Effect.fnUntraced(function* ({
  audience,
  environment = platformEnvironment,
  fetch
}: GithubActionsOptions = {}): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  const given = environment(urlVariable)
  const url =
    given === undefined ? undefined : yield* configured(name, endpoint(urlVariable, given))
  return AssertionSource.make({
    name,
    offers: { audience: "any", algorithms: ["RS256"] },
    assertion: (request) => {
      const runner = environment(tokenVariable)
      if (url === undefined || runner === undefined) return Effect.fail(absent)
      const asked = new URL(url)
      const wanted = chosenAudience(request, audience)
      if (wanted !== undefined) asked.searchParams.set("audience", wanted)
      return signed({
        who: "GitHub",
        fetch,
        // Its own client waits without end, and answers are known to get lost.
        timeout: "5 seconds",
        request: {
          url: asked.href,
          headers: { authorization: `Bearer ${runner}`, accept: "application/json" }
        },
        token: field("value"),
        hint: (status) =>
          status === 401 || status === 403
            ? "The job's token has ended with the job, or its permission has: ask within the job, and give it `permissions: id-token: write`."
            : `Leave ${urlVariable} as the runner has set it, and compare the audience.`
      })
    }
  })
})

const urlVariable = "ACTIONS_ID_TOKEN_REQUEST_URL"
const tokenVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"

const absent = new Unavailable({
  detail: `${urlVariable} and ${tokenVariable} are not both set`,
  hint: "Run in a GitHub Actions job, and give it `permissions: id-token: write`. Pull requests from forks have no such permission."
})
