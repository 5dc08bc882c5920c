/** GitLab CI/CD as an assertion source: the ID token that a job has in a variable. */
import { AssertionSource, configured } from "@federate/core"
import type { FederationError } from "@federate/core"
import type { Environment } from "@federate/http"
import * as Effect from "effect/Effect"
import { checkedName, tokenInVariable } from "./variable.ts"

export interface GitlabOptions {
  /** The token's name under the job's `id_tokens`. */
  readonly variable: string
  /** Default: the process's. */
  readonly environment?: Environment | undefined
}

const name = "gitlab"

/**
 * https://docs.gitlab.com/ci/secrets/id_token_authentication/: one token for each name under `id_tokens`, signed when the
 * job starts, for whom `aud` says. Its issuer is the instance, its subject
 * `project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH` unless the project has chosen another. Without the variable it
 * is `Unavailable`.
 */
export const gitlab = Effect.fnUntraced(function* ({
  environment,
  variable
}: GitlabOptions): Effect.fn.Return<AssertionSource.AssertionSource, FederationError> {
  yield* configured(name, checkedName("variable", variable))
  return AssertionSource.make({
    name,
    offers: { algorithms: ["RS256"] },
    assertion: (request) =>
      tokenInVariable(request, {
        variable,
        environment,
        absent: `Run in a GitLab job that has it: \`id_tokens: { ${variable}: { aud: … } }\` in .gitlab-ci.yml.`,
        audience: (audience) =>
          `Write \`aud: ${audience}\` under id_tokens, ${variable} in .gitlab-ci.yml; a list of several will do.`,
        renewal:
          "GitLab signs once, when the job starts, and for as long as the job's `timeout`: ask before that, or raise it."
      })
  })
})
