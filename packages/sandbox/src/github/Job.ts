/** A job of a workflow, and what GitHub says of it. */
import { createHash } from "node:crypto"
import { subjectPrefix } from "./Repositories.ts"
import type { Repository } from "./Repositories.ts"

export interface JobOptions {
  /** `OWNER/NAME`. Default `octo/app`; a repository is there from the first time it is named. */
  readonly repository?: string
  /** Default `refs/heads/main`; of a pull request `refs/pull/1/merge`. */
  readonly ref?: string
  /** The event that has started the workflow. Default `push`. */
  readonly event?: string
  /** The environment that the job names. Default: none. */
  readonly environment?: string
  /** What the workflow permits: without `id-token: write` the job has no way to ask. Default: that. */
  readonly permissions?: Readonly<Record<string, string>>
}

export interface Job {
  readonly repository: Repository
  readonly ref: string
  readonly event: string
  readonly environment: string | undefined
  readonly runId: string
}

/** Numbers and names that stand in its claims. */
const actor = { actor: "octocat", actor_id: "1" }
const workflowFile = ".github/workflows/deploy.yml"

/** The claims besides `iss`, `sub`, `aud`, `iat`, `nbf`, `exp` and `jti`, texts all of them. */
export const claimsOf = ({
  environment,
  event,
  ref,
  repository,
  runId
}: Job): Readonly<Record<string, string>> => {
  const fullName = `${repository.owner}/${repository.name}`
  const sha = createHash("sha1").update(`${fullName} ${ref}`).digest("hex")
  const workflowRef = `${fullName}/${workflowFile}@${ref}`
  const isPullRequest = event === "pull_request"
  return {
    ref,
    sha,
    repository: fullName,
    repository_owner: repository.owner,
    repository_owner_id: `${repository.ownerId}`,
    run_id: runId,
    run_number: "1",
    run_attempt: "1",
    repository_visibility: "private",
    repository_id: `${repository.id}`,
    ...actor,
    workflow: "deploy",
    head_ref: isPullRequest ? "feature" : "",
    base_ref: isPullRequest ? "main" : "",
    event_name: event,
    ref_protected: "false",
    ref_type: ref.startsWith("refs/tags/") ? "tag" : "branch",
    workflow_ref: workflowRef,
    workflow_sha: sha,
    job_workflow_ref: workflowRef,
    job_workflow_sha: sha,
    runner_environment: "github-hosted",
    ...(environment !== undefined && { environment })
  }
}

/** A colon in a value would look like one between two. */
const escaped = (value: string): string => value.replaceAll(":", "%3A")

/** What a job is, by the first of these that it has. */
const contextOf = ({ environment, event, ref }: Job): string => {
  if (environment !== undefined) return `environment:${escaped(environment)}`
  return event === "pull_request" ? "pull_request" : `ref:${ref}`
}

/**
 * https://docs.github.com/actions/reference/security/oidc#example-subject-claims: the repository and the job's context, or
 * the claims that the repository has chosen.
 */
export const subjectOf = (job: Job): string => {
  const claims = claimsOf(job)
  return (job.repository.subject.claimKeys ?? ["repo", "context"])
    .map((key) => {
      if (key === "repo") return subjectPrefix(job.repository)
      return key === "context" ? contextOf(job) : `${key}:${escaped(claims[key] ?? "")}`
    })
    .join(":")
}

/** What `include_claim_keys` may name. */
export const choosable: ReadonlySet<unknown> = new Set([
  "repo",
  "context",
  "environment",
  "actor",
  "actor_id",
  "base_ref",
  "event_name",
  "head_ref",
  "job_workflow_ref",
  "job_workflow_sha",
  "ref",
  "ref_protected",
  "ref_type",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "repository_visibility",
  "run_attempt",
  "run_id",
  "run_number",
  "runner_environment",
  "sha",
  "workflow",
  "workflow_ref",
  "workflow_sha"
])
