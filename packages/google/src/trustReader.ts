/** A provider of a workload or workforce identity pool, read from Google's IAM API. */
import { configured, inConfiguration } from "@federate/core"
import type { Assertion, FederationError } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Access, Problem, TrustReader } from "@federate/trust"
import { word } from "@federate/trust/shell"
import * as Effect from "effect/Effect"
import { makeApi } from "./api.ts"
import { parseAudience } from "./audience.ts"
import { readCredentialsFile } from "./credentialsFile.ts"
import { cloudPlatform } from "./federation.ts"
import { noAudience } from "./settings.ts"

interface Settings {
  readonly audience?: string | undefined
  readonly credentialsFile?: string | undefined
  readonly foreignHosts?: boolean | undefined
  readonly universeDomain?: string | undefined
}

/** https://cloud.google.com/sdk/gcloud/reference/iam/workload-identity-pools/providers/create-oidc */
const missing = (
  { audience = "the credentials file's" }: Settings,
  { issuer = "", subject = "" }: Assertion.Assertion
): Problem => {
  const [, project = "PROJECT_NUMBER", pool = "POOL", provider = "PROVIDER"] =
    /\/projects\/(\d+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(
      audience
    ) ?? []
  return {
    what: `There is no provider ${audience}`,
    fix: `Make it for this very token, if that is the workload that is meant: \`gcloud iam workload-identity-pools providers create-oidc ${word(provider)} --project ${word(project)} --location global --workload-identity-pool ${word(pool)} --issuer-uri ${word(issuer)} --attribute-mapping google.subject=assertion.sub --attribute-condition ${word(`assertion.sub == ${JSON.stringify(subject)}`)}\`; a pool that is not there either, by \`gcloud iam workload-identity-pools create\` before that.`
  }
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers/get */
const readerFor = (type: string): TrustReader<Settings, Platform> => ({
  type,
  scope: cloudPlatform,
  missing,
  read: Effect.fnUntraced(function* (
    { audience, credentialsFile, foreignHosts, universeDomain = "googleapis.com" }: Settings,
    { token }: Access,
    platform: Platform
  ): Effect.fn.Return<ReadonlyArray<unknown>, FederationError> {
    const named =
      audience ??
      (credentialsFile === undefined
        ? yield* configured(type, noAudience)
        : (yield* readCredentialsFile(type, credentialsFile, { foreignHosts })).options.audience)
    const { pool } = yield* configured(type, parseAudience(named, universeDomain))
    const api = makeApi("iam", universeDomain, Effect.succeed(token), platform)
    const get = (path: string) => inConfiguration(type)(api.call({ method: "GET", path }))
    const provider = yield* get(`/v1/${named.replace(/^\/\/[^/]*\//, "")}`)
    if (provider === undefined) return []
    const { name: _, ...standing } = (yield* get(`/v1/${pool}`)) ?? {}
    return [{ ...provider, pool: standing }]
  })
})

export const trustReaders: ReadonlyArray<TrustReader<Settings, Platform>> = [
  readerFor("google"),
  readerFor("google-id-token")
]
