/** Who issues assertions, known by the issuer, and what their subjects are. */

export interface KnownIssuer {
  readonly name: string
  /** What its `sub` is. */
  readonly subject: string
  /** What is wrong with taking this token as an assertion; absent where nothing is. */
  readonly caution?: (claims: Readonly<Record<string, unknown>>) => string | undefined
}

const issuers: ReadonlyArray<KnownIssuer & { readonly issuer: RegExp }> = [
  {
    name: "an Amazon Cognito identity pool",
    issuer: /^https:\/\/cognito-identity(-fips)?[.\w-]*\.amazonaws\.com(\.cn)?$/,
    subject: "the identity's id, the same for the same developer user for ever"
  },
  {
    name: "an Amazon Cognito user pool",
    issuer: /^https:\/\/cognito-idp\./,
    subject: "a user of the pool",
    caution: () => "This is a user's token and not an identity pool's."
  },
  {
    name: "AWS STS (GetWebIdentityToken)",
    issuer: /^https:\/\/[0-9a-f-]{36}\.tokens\.sts\./,
    subject: "the role's ARN, with its path"
  },
  {
    name: "GitHub Actions",
    issuer: /^https:\/\/token\.actions\.(githubusercontent\.com|[\w-]+\.ghe\.com)(\/[\w-]+)?$/,
    subject: "the repository with the environment, the branch, the tag or pull_request"
  },
  {
    name: "GitLab",
    issuer: /^https:\/\/gitlab\./,
    subject: "the project with its ref, or what the project has chosen"
  },
  {
    name: "Buildkite",
    issuer: /^https:\/\/agent\.buildkite\.com$/,
    subject: "the pipeline with ref, commit and step, unless the agent was asked for less",
    caution: ({ sub }) =>
      typeof sub === "string" && sub.includes(":commit:")
        ? "Its subject holds the commit: no exact trust fits the next one. Ask the agent for `--subject-claim`."
        : undefined
  },
  {
    name: "CircleCI",
    issuer: /^https:\/\/oidc\.circleci\.com\/org\//,
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
    subject: "organization, project, workspace and the run's phase (plan and apply are two)"
  },
  {
    name: "Google",
    issuer: /^https:\/\/accounts\.google\.com$/,
    subject: "the numeric id of the service account, not its e-mail"
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
    issuer: /^https:\/\/oidc\.vercel\.com(\/|$)/,
    subject: "team, project and environment"
  },
  {
    name: "Fly.io",
    issuer: /^https:\/\/oidc\.fly\.io\//,
    subject: "organization, app and machine",
    caution: () => "Its subject names the machine: an exact trust fits that one."
  },
  {
    name: "a Kubernetes cluster",
    issuer:
      /^https:\/\/(kubernetes\.default|oidc\.eks\.|container\.googleapis\.com\/|[\w.-]+\.oic\.prod-aks\.azure\.com\/)/,
    subject: "system:serviceaccount:NAMESPACE:NAME"
  }
]

/** Nothing when nobody known issues such tokens. */
export const knownIssuer = (issuer: string): KnownIssuer | undefined =>
  issuers.find((each) => each.issuer.test(issuer))
