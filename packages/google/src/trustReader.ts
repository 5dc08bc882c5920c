/** A provider of a workload or workforce identity pool, read from Google's IAM API. */
import { FederationError } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Access, TrustReader } from "@federate/trust"
import * as Effect from "effect/Effect"
import { makeApi } from "./api.ts"
import { parseAudience } from "./audience.ts"
import { readCredentialsFile } from "./credentialsFile.ts"
import { cloudPlatform, configured } from "./federation.ts"
import { noAudience } from "./settings.ts"

interface Settings {
  readonly audience?: string | undefined
  readonly credentialsFile?: string | undefined
  readonly foreignHosts?: boolean | undefined
  readonly universeDomain?: string | undefined
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers/get */
const readerFor = (type: string): TrustReader<Settings, Platform> => ({
  type,
  scope: cloudPlatform,
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
    const get = (path: string) =>
      Effect.mapError(
        api.call({ method: "GET", path }),
        (reason) => new FederationError({ adapter: type, stage: "configuration", reason })
      )
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
