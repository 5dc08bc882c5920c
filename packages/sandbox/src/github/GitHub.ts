/**
 * GitHub, as far as its jobs get tokens about themselves: the endpoint that a runner leads to, and the part of the REST API
 * that says how their subjects are written.
 *
 * https://docs.github.com/actions/reference/security/oidc, https://docs.github.com/rest/actions/oidc
 */
import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Issuers } from "../issuer/Issuers.ts"
import { json, matchPath } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { choosable, claimsOf, subjectOf } from "./Job.ts"
import type { Job, JobOptions } from "./Job.ts"
import * as Repositories from "./Repositories.ts"
import type { Repository } from "./Repositories.ts"

/** The plain issuer that signs for it. */
export const issuerName = "github"

/** In milliseconds. */
const lifetime = 5 * 60_000

export interface RunningJob {
  /** What its runner sets in its steps. */
  readonly variables: Readonly<Record<string, string>>
  /** The subject that its tokens have, as the repository is set now. */
  readonly subject: string
  /** From then on its own token is none any more. */
  readonly end: () => void
}

export interface GitHub {
  readonly service: Service
  readonly startJob: (options?: JobOptions) => RunningJob
}

interface Held {
  readonly job: Job
  readonly token: string
}

/**
 * @param base the http base URL
 * @param apiToken a token for the REST API
 */
export const make = (base: string, issuers: Issuers, apiToken: string): GitHub => {
  const repositories = Repositories.make()
  const jobs = new Map<string, Held>()
  let started = 0

  const startJob = (options: JobOptions = {}): RunningJob => {
    const { environment, event = "push", permissions = { "id-token": "write" } } = options
    const job: Job = {
      repository: repositories.of(options.repository ?? "octo/app"),
      ref: options.ref ?? (event === "pull_request" ? "refs/pull/1/merge" : "refs/heads/main"),
      event,
      environment,
      runId: `${1_658_821_493 + started++}`
    }
    const id = randomUUID()
    const token = randomBytes(24).toString("base64url")
    jobs.set(id, { job, token })
    const { actor, ref, repository, repository_id, repository_owner, sha } = claimsOf(job)
    return {
      get subject() {
        return subjectOf(job)
      },
      end: () => void jobs.delete(id),
      variables: {
        CI: "true",
        GITHUB_ACTIONS: "true",
        GITHUB_ACTOR: actor!,
        GITHUB_EVENT_NAME: event,
        GITHUB_REF: ref!,
        GITHUB_REPOSITORY: repository!,
        GITHUB_REPOSITORY_ID: repository_id!,
        GITHUB_REPOSITORY_OWNER: repository_owner!,
        GITHUB_RUN_ID: job.runId,
        GITHUB_SHA: sha!,
        ...(permissions["id-token"] === "write" && {
          ACTIONS_ID_TOKEN_REQUEST_URL: `${base}/github/idtoken/${job.runId}/${id}?api-version=2.0`,
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: token
        })
      }
    }
  }

  const idToken = Effect.fnUntraced(function* (request: Request, runId: string, id: string) {
    const presented = bearer(request)
    const held = jobs.get(id)
    const isKnown = [...jobs.values()].some(({ token }) => same(token, presented))
    if (presented === "" || !isKnown) return refused(401, "The token of the job is not valid")
    // A token is for its own job alone.
    if (held === undefined || held.job.runId !== runId || !same(held.token, presented))
      return refused(403, "The token of the job does not permit this")
    if (!request.query.has("api-version")) return refused(400, "No api-version is specified")
    const { repository } = held.job
    const value = yield* issuers.issue(issuerName, {
      subject: subjectOf(held.job),
      audience: request.query.get("audience") || `https://github.com/${repository.owner}`,
      lifetime,
      claims: { jti: randomUUID(), ...claimsOf(held.job) }
    })
    return json(200, { count: value.length, value })
  })

  const customization = (request: Request, fullName: string): Response => {
    const presented = bearer(request)
    if (presented === "") return refused(401, "Requires authentication")
    if (!same(apiToken, presented)) return refused(401, "Bad credentials")
    const repository = repositories.find(fullName)
    if (repository === undefined) return refused(404, "Not Found")
    return request.method === "GET" ? shown(repository) : customized(repository, request)
  }

  return {
    startJob,
    service: {
      name: "github",
      route: (request) => {
        const { method, path } = request
        const asked = method === "GET" ? matchPath("/github/idtoken/{run}/{job}", path) : undefined
        if (asked !== undefined) {
          const { job = "", run = "" } = asked
          return { endpoint: "github.idToken", answer: idToken(request, run, job) }
        }
        const found = matchPath("/repos/{owner}/{name}/actions/oidc/customization/sub", path)
        if (found === undefined || (method !== "GET" && method !== "PUT")) return undefined
        const { name = "", owner = "" } = found
        return {
          endpoint: "github.customization",
          answer: Effect.sync(() => customization(request, `${owner}/${name}`))
        }
      },
      failure: (_request, failure) =>
        Effect.succeed(
          refused(failure === "throttled" ? 429 : failure, "The service cannot answer now")
        )
    }
  }
}

const bearer = ({ headers }: Request): string =>
  /^(?:Bearer|token) (.+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? ""

const same = (expected: string, presented: string): boolean => {
  const [a, b] = [Buffer.from(expected), Buffer.from(presented)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const refused = (status: number, message: string): Response =>
  json(status, { message, status: `${status}` })

const shown = (repository: Repository): Response => {
  const { claimKeys, immutable } = repository.subject
  return json(200, {
    use_default: claimKeys === undefined,
    ...(claimKeys !== undefined && { include_claim_keys: claimKeys }),
    use_immutable_subject: immutable,
    sub_claim_prefix: Repositories.subjectPrefix(repository)
  })
}

const customized = (repository: Repository, { body }: Request): Response => {
  const parsed = Result.try((): unknown => JSON.parse(body.toString("utf8")))
  if (Result.isFailure(parsed) || typeof parsed.success !== "object" || parsed.success === null)
    return refused(400, "Problems parsing JSON")
  const asked = new Map<string, unknown>(Object.entries(parsed.success))
  const { subject } = repository
  const isDefault = asked.get("use_default")
  const keys = asked.get("include_claim_keys") ?? []
  const immutable = asked.get("use_immutable_subject") ?? subject.immutable
  if (typeof isDefault !== "boolean" || !areClaimKeys(keys) || typeof immutable !== "boolean")
    return refused(422, "Validation Failed")
  subject.claimKeys = isDefault || keys.length === 0 ? undefined : keys
  subject.immutable = immutable
  return json(201, {})
}

const areClaimKeys = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((key) => choosable.has(key))
