/** Google's half of a trust: a pool, a provider, and who its principal may act as. */
import { configured, Misconfigured } from "@federate/core"
import type { Platform } from "@federate/http"
import type { Part, TrustSide } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { makeApi } from "./api.ts"
import { parseAudience } from "./audience.ts"
import { cloudPlatform } from "./federation.ts"
import { algorithms } from "./settings.ts"
import {
  accountMember,
  binding,
  federatedPrincipal,
  pool,
  project,
  provider,
  providerName,
  serviceAccount
} from "./trustParts.ts"
import type { Account, Organization } from "./trustParts.ts"

const idNamed = (description: string, pattern: RegExp, expected: string) =>
  Schema.optionalKey(
    Schema.String.annotate({ description }).check(Schema.isPattern(pattern, { expected }))
  )

const idPattern = /^(?!gcp-)[a-z0-9-]{4,32}$/
const idWords = "4 to 32 lower-case letters, digits and dashes, not beginning with gcp-"

const names = Schema.Struct({
  project: idNamed(
    "The project's id or number, where the settings do not know the provider's name yet",
    /^[a-z0-9-]{3,30}$/,
    "a project's id or number"
  ),
  pool: idNamed("The pool's id; federate-<flow> without it", idPattern, idWords),
  provider: idNamed("The provider's id; federate-<flow> without it", idPattern, idWords),
  account: idNamed(
    "The service account's id, where the settings do not know its e-mail yet; federate-<flow> without it",
    /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
    "6 to 30 lower-case letters, digits and dashes"
  ),
  roles: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description:
        "Roles on the project that the service account gets, or without one the federated principal; none without it",
      examples: [["roles/storage.objectViewer"]]
    })
  )
})

interface Config {
  readonly audience?: string | undefined
  readonly allowedAudience?: string | undefined
  readonly credentialsFile?: string | undefined
  readonly serviceAccount?: string | undefined
  readonly universeDomain?: string | undefined
}

/**
 * Ids by name: `projectId`, `projectNumber`, `audience`, `serviceAccount`.
 *
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers
 */
const sideFor = (type: string): TrustSide<typeof names, typeof names.Type, Config, Platform> => ({
  type,
  names,
  provides: ["audience", "serviceAccount"],
  parts: Effect.fnUntraced(function* (config, chosen, { assertion, flow, platform, token }) {
    const { allowedAudience, universeDomain = "googleapis.com" } = config
    const { roles = [] } = chosen
    const usual = `federate-${flow.toLowerCase().replace(/[^a-z0-9-]/g, "-")}`
    const isNew = isUnset(config.audience)
    const named = yield* configured(
      type,
      Result.andThen(
        consistent(config, chosen, flow),
        isNew ? unnamed(chosen, usual, flow) : providerOf(config.audience ?? "", universeDomain)
      )
    )
    const held = token(cloudPlatform)
    const of: Organization = {
      iam: makeApi("iam", universeDomain, held, platform),
      projects: makeApi("cloudresourcemanager", universeDomain, held, platform),
      flow,
      mark: `federate:${flow}`,
      pool: named.pool,
      provider: named.provider
    }
    const account: Account | undefined =
      config.serviceAccount === undefined
        ? undefined
        : {
            id: chosen.account ?? usual.slice(0, 30).replace(/-+$/, ""),
            email: isUnset(config.serviceAccount) ? undefined : config.serviceAccount
          }
    const principal = federatedPrincipal(of)
    return [
      project(of, named.project),
      pool(of),
      assertion((known) => {
        const name = providerName(of, known)
        return name === undefined
          ? undefined
          : {
              preferredAudience: `https://iam.googleapis.com/${name}`,
              ...(allowedAudience !== undefined && { audience: allowedAudience }),
              algorithms
            }
      }),
      provider(of, isNew),
      ...(account === undefined
        ? []
        : [
            serviceAccount(of, account),
            binding(of, { role: "roles/iam.workloadIdentityUser", member: principal, account })
          ]),
      ...[...new Set(roles)].map((role) =>
        binding(of, { role, member: account === undefined ? principal : accountMember(account) })
      )
    ] satisfies ReadonlyArray<Part>
  })
})

/** Absent, or a variable in its place. */
const isUnset = (setting: string | undefined): boolean =>
  setting === undefined || setting.startsWith("${")

interface Named {
  readonly project: string
  readonly pool: string
  readonly provider: string
}

const wrong = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/** What would be passed over in silence. */
const consistent = (
  config: Config,
  { account }: typeof names.Type,
  flow: string
): Result.Result<void, Misconfigured> =>
  config.audience === undefined && config.credentialsFile !== undefined
    ? wrong(
        "credentialsFile",
        "names a provider that somebody has set up",
        "Write the provider's name as `audience`, or ${GOOGLE_AUDIENCE} for a new one, to have its trust set up from here."
      )
    : account !== undefined && config.serviceAccount === undefined
      ? wrong(
          `trust.${flow}.exchanger.account`,
          "is there, and the flow acts as no service account",
          "Write `serviceAccount: ${GOOGLE_SERVICE_ACCOUNT}` among the exchanger's settings."
        )
      : Result.void

const unnamed = (
  { pool: ownPool, project: own, provider: ownProvider }: typeof names.Type,
  usual: string,
  flow: string
): Result.Result<Named, Misconfigured> => {
  const standard = usual.slice(0, 32)
  return own === undefined
    ? wrong(
        `trust.${flow}.exchanger.project`,
        "is absent, and `audience` does not name one",
        "Write the id or the number of the project in which the pool is to be."
      )
    : Result.succeed({
        project: own,
        pool: ownPool ?? standard,
        provider: ownProvider ?? standard
      })
}

const providerOf = (
  audience: string,
  universeDomain: string
): Result.Result<Named, Misconfigured> =>
  Result.flatMap(parseAudience(audience, universeDomain), ({ id, kind, pool: full }) => {
    const [, number = "", , , , poolId = ""] = full.split("/")
    return kind === "workload"
      ? Result.succeed({
          project: number,
          pool: poolId,
          provider: id
        })
      : wrong(
          "audience",
          "is of a workforce pool, which belongs to an organization and its people",
          "Set it up by hand: `gcloud iam workforce-pools --help`."
        )
  })

export const exchangerSides: ReadonlyArray<ReturnType<typeof sideFor>> = [
  sideFor("google"),
  sideFor("google-id-token")
]
