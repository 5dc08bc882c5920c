/** Who issues assertions, known by the issuer, and what their subjects are. */

export interface KnownIssuer {
  readonly name: string
  /** What its `sub` is. */
  readonly subject: string
  /** What is wrong with taking this token as an assertion; absent where nothing is. */
  readonly caution?: (claims: Readonly<Record<string, unknown>>) => string | undefined
  /** How a subject begins that can be one organization's alone, where the issuer speaks for many. */
  readonly own?: RegExp
  /** What is good to know for who trusts this subject, among all that are trusted; absent where nothing is. */
  readonly advice?: (subject: string, all: ReadonlyArray<string>) => string | undefined
}

/** What is by the one GitHub, and what enterprises have of their own. */
const github = {
  name: "GitHub Actions",
  subject: "the repository with the environment, the branch, the tag or pull_request",
  advice: (subject: string, all: ReadonlyArray<string>) =>
    subject.endsWith(":pull_request")
      ? "Whoever may push a branch gets it by opening a pull request, with the workflow as that branch has it."
      : withoutIds.test(subject) && !all.some((each) => bare(each) === subject && each !== subject)
        ? "A repository that was made, renamed or moved since 2026-07-15 writes ids into its subject (repo:OWNER@ID/NAME@ID:…), and this one does not fit that."
        : undefined
}

/** GitHub's older subjects, and the newer ones as they would have been. */
const withoutIds = /^repo:[^/:@*?]+\/[^/:@*?]+:/
const bare = (subject: string) =>
  subject.replace(/^repo:([^/:@]+)@\d+\/([^/:@]+)@\d+:/, "repo:$1/$2:")

const gitlab = {
  name: "GitLab",
  subject: "the project with its ref, or what the project has chosen"
}

/** To the letter: one with a slash more or less is none of them. */
const issuers: ReadonlyArray<KnownIssuer & { readonly issuer: RegExp }> = [
  {
    name: "an Amazon Cognito identity pool",
    issuer: /^https:\/\/cognito-identity(-fips)?[.\w-]*\.amazonaws\.com(\.cn)?$/,
    subject: "the identity's id, the same for the same developer user for ever",
    own: /^[a-z0-9-]+:[0-9a-f-]{36}$/
  },
  {
    name: "an Amazon Cognito user pool",
    issuer: /^https:\/\/cognito-idp\.[^/]+\/[^/]+$/,
    subject: "a user of the pool",
    caution: () => "This is a user's token and not an identity pool's."
  },
  {
    name: "AWS STS (GetWebIdentityToken)",
    issuer: /^https:\/\/[0-9a-f-]{36}\.tokens\.sts\.[\w.-]+$/,
    subject: "the role's ARN, with its path"
  },
  {
    ...github,
    issuer: /^https:\/\/token\.actions\.githubusercontent\.com$/,
    own: /^(repo:[^/:]+\/|(repository|repository_owner|repository_owner_id|repository_id):[^:]+:|job_workflow_ref:[^/:]+\/)/
  },
  {
    ...github,
    issuer:
      /^https:\/\/token\.actions\.(githubusercontent\.com\/[\w-]+|[\w-]+\.ghe\.com(\/[\w-]+)?)$/
  },
  {
    ...gitlab,
    issuer: /^https:\/\/gitlab\.com$/,
    own: /^(project_path:[^/:]+\/|(project_id|namespace_id):\d+:)/
  },
  { ...gitlab, issuer: /^https:\/\/gitlab\.[\w.-]+(\/[\w-]+)*$/ },
  {
    name: "Buildkite",
    issuer: /^https:\/\/agent\.buildkite\.com$/,
    subject: "the pipeline with ref, commit and step, unless the agent was asked for less",
    own: /^(organization:[^:]+:|[0-9a-f-]{36}$)/,
    caution: ({ sub }) =>
      typeof sub === "string" && sub.includes(":commit:")
        ? "Its subject holds the commit: no exact trust fits the next one. Ask the agent for `--subject-claim`."
        : undefined
  },
  {
    name: "CircleCI",
    issuer: /^https:\/\/oidc\.circleci\.com\/org\/[^/]+$/,
    subject: "organization, project and user",
    caution: () =>
      "Its subject holds who started the pipeline: an exact trust fits that one person's runs."
  },
  {
    name: "Bitbucket Pipelines",
    issuer: /^https:\/\/api\.bitbucket\.org\//,
    subject: "repository and step",
    caution: () => "Its subject is new for each step: no exact trust fits it twice."
  },
  {
    name: "HCP Terraform",
    issuer: /^https:\/\/app\.terraform\.io$/,
    subject: "organization, project, workspace and the run's phase (plan and apply are two)",
    own: /^organization:[^:]+:/,
    advice: (subject, all) =>
      /:run_phase:(plan|apply)$/.test(subject) &&
      !all.includes(
        subject.endsWith("plan")
          ? subject.replace(/plan$/, "apply")
          : subject.replace(/apply$/, "plan")
      )
        ? "Plan and apply are two subjects: each needs a trust of its own."
        : undefined
  },
  {
    name: "Google",
    issuer: /^https:\/\/accounts\.google\.com$/,
    subject: "the numeric id of the service account, not its e-mail",
    own: /^\d{21}$/
  },
  {
    name: "Microsoft Entra",
    issuer:
      /^https:\/\/(sts\.windows\.net|login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.chinacloudapi\.cn)\//,
    subject: "the object id of the principal",
    caution: ({ aud, scp }) =>
      scp !== undefined
        ? "This is a user's token: Entra takes none as an assertion."
        : typeof aud === "string" && /^(https:\/\/|00000003-0000-0000)/.test(aud)
          ? "This is an access token for an API, what a flow brings and not what it trades."
          : undefined
  },
  {
    name: "Vercel",
    issuer: /^https:\/\/oidc\.vercel\.com(\/[^/]+)?$/,
    subject: "team, project and environment",
    own: /^owner:[^:]+:/
  },
  {
    name: "Fly.io",
    issuer: /^https:\/\/oidc\.fly\.io\/[^/]+$/,
    subject: "organization, app and machine",
    caution: () => "Its subject names the machine: an exact trust fits that one."
  },
  {
    name: "a Kubernetes cluster",
    issuer:
      /^https:\/\/(kubernetes\.default[\w.]*|oidc\.eks\.[\w.-]+\/id\/\w+|container\.googleapis\.com\/.*[^/]|[\w.-]+\.oic\.prod-aks\.azure\.com\/.+\/)$/,
    subject: "system:serviceaccount:NAMESPACE:NAME"
  }
]

/** Nothing when nobody known issues such tokens. */
export const knownIssuer = (issuer: string): KnownIssuer | undefined =>
  issuers.find((each) => each.issuer.test(issuer))

/** What is wrong with an issuer's name, so that no token can have it; nothing where nothing is. */
export const issuerProblem = (issuer: string): string | undefined => {
  if (issuer !== issuer.trim()) return "has a blank or a line's end around it: it was copied along"
  if (/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(issuer)) return undefined
  if (!issuer.startsWith("https://")) return "does not begin with https://"
  if (/[?#]/.test(issuer)) return "has a query or a fragment, and an issuer has none"
  const host = issuer.slice("https://".length).replace(/[/:].*$/s, "")
  if (host !== host.toLowerCase()) return "has capitals in its host, and tokens have none there"
  if (knownIssuer(issuer) !== undefined) return undefined
  const isSlashed = issuer.endsWith("/")
  const meant = knownIssuer(isSlashed ? issuer.replace(/\/+$/, "") : `${issuer}/`)
  return (
    meant &&
    (isSlashed
      ? `ends in a slash, and ${meant.name} writes none`
      : `has no slash at its end, and ${meant.name} writes one`)
  )
}
