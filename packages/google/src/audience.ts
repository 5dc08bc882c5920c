/** The full name of a provider in a pool: what Google's STS calls the audience. */
import { Misconfigured } from "@federate/core"
import * as Result from "effect/Result"

/** A provider of a workload or workforce identity pool, and whom its tokens are about. */
export interface Provider {
  /** `iam.googleapis.com`, or another universe's. */
  readonly host: string
  readonly kind: "workload" | "workforce"
  /** The pool's full name, without the leading `//host/`. */
  readonly pool: string
  /** Its own id in the pool. */
  readonly id: string
  /** The principal that a federated token is for, when the provider maps this subject unchanged. */
  readonly principal: (subject: string) => string
}

const workloadPool = /^projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}$/
const workforcePool = /^locations\/global\/workforcePools\/[a-z][a-z0-9-]{4,61}[a-z0-9]$/
const providerId = /^[a-z0-9-]{4,32}$/

const example =
  "//iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"

const wrong = (problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting: "audience", problem, hint }))

/**
 * Reads `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X`, or a workforce pool's
 * `//iam.googleapis.com/locations/global/workforcePools/P/providers/X`, more strictly than the STS tells:
 * https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 *
 * @param universeDomain `googleapis.com` in the public cloud; the public name serves in every universe
 */
export const parseAudience = (
  audience: string,
  universeDomain: string
): Result.Result<Provider, Misconfigured> => {
  const [, scheme = "", host = "", name = ""] =
    /^(https?:)?\/\/([^/]*)\/(.*)$/s.exec(audience) ?? []
  if (host === "" || scheme !== "") {
    const bare = audience.replace(/^https?:\/\/[^/]*/, "").replace(/^\/+/, "")
    return wrong(
      `"${audience}" does not begin with //iam.${universeDomain}/`,
      /^(projects|locations)\//.test(bare)
        ? `Write //iam.${universeDomain}/${bare}.`
        : `Write the provider's full name: ${example}.`
    )
  }
  if (host !== "iam.googleapis.com" && host !== `iam.${universeDomain}`) {
    return wrong(
      `is of the host "${host}"`,
      `Write //iam.${universeDomain}/…, or set \`universeDomain\` for another universe.`
    )
  }
  const [pool = "", id, ...more] = name.split("/providers/")
  const kind = workloadPool.test(pool)
    ? "workload"
    : workforcePool.test(pool)
      ? "workforce"
      : undefined
  if (kind === undefined) {
    return wrong(`"${audience}" names no pool`, `Write the provider's full name: ${example}.`)
  }
  const project = pool.split("/")[1]!
  if (kind === "workload" && !/^[1-9]\d*$/.test(project)) {
    return wrong(
      `names the project "${project}", and Google wants its number`,
      `\`gcloud projects describe ${project} --format='value(projectNumber)'\` tells it.`
    )
  }
  if (id === undefined || more.length > 0 || !providerId.test(id)) {
    return wrong(
      `"${audience}" names a pool and no provider of it`,
      `Write //${host}/${pool}/providers/PROVIDER; \`gcloud iam workload-identity-pools providers list\` tells which there are.`
    )
  }
  return Result.succeed({
    host,
    kind,
    pool,
    id,
    principal: (subject) => `principal://${host}/${pool}/subject/${subject}`
  })
}
