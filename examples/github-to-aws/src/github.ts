/** Who stands around the program, played with a sandbox: AWS that trusts a branch, and GitHub that runs workflow.yaml. */
import { readFile } from "node:fs/promises"
import { Sandbox } from "@federate/sandbox"
import { Yaml } from "effect/encoding"

/** As much of workflow.yaml as a runner looks at here. */
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: { readonly whoami: { readonly env: Readonly<Record<string, string>> } }
}

/** Whom the role trusts: the main branch of a repository, in the form of 2026, with the numbers of owner and repository. */
const subject = "repo:octo@583231/app@1296269:ref:refs/heads/main"

/** A sandbox whose AWS trusts the main branch. */
export const startCloud = () =>
  Sandbox.start({ setup: "empty", aws: { trust: { issuer: "github", subject } } })

/** Runs a job of the workflow on a branch; gives its variables. */
export const startJob = async (sandbox: Sandbox.Sandbox, branch = "main") => {
  const file = await readFile(new URL("../workflow.yaml", import.meta.url), "utf8")
  // The file is ours: it has one job.
  const { jobs, permissions } = Yaml.parse(file) as Workflow
  const { variables } = sandbox.github.startJob({
    repository: "octo/app",
    ref: `refs/heads/${branch}`,
    permissions
  })
  return {
    ...variables,
    ...jobs.whoami.env,
    // The role and the region are the sandbox's own, and so is STS.
    AWS_ROLE_ARN: sandbox.aws.federatedRoleArn ?? "",
    AWS_REGION: sandbox.aws.region,
    AWS_ENDPOINT_URL_STS: sandbox.http
  }
}
