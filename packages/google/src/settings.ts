/** What both exchangers are told, and what can be told to be wrong of it before any call. */
import { Misconfigured } from "@federate/core"
import { endpoint } from "@federate/http"
import type { Fetch } from "@federate/http"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { parseAudience } from "./audience.ts"

/** What Google documents for OpenID Connect providers. */
export const algorithms = ["RS256", "ES256"]

/** How an assertion becomes a federated token. */
export interface Federation {
  /** The provider's full name: `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X`. */
  readonly audience: string
  /**
   * The assertion's own audience, where the provider lists `allowed-audiences` and it must be that one. Without it a
   * source that can choose takes the provider's name (`https://iam.googleapis.com/projects/…`).
   */
  readonly allowedAudience?: string | undefined
  /** The kind of assertion (RFC 8693 §3). Default `urn:ietf:params:oauth:token-type:jwt`. */
  readonly subjectTokenType?: string | undefined
  /** The project that workforce pools' calls are billed to. */
  readonly userProject?: string | undefined
  /** Default `googleapis.com`: moves both endpoints. */
  readonly universeDomain?: string | undefined
  /** Instead of `https://sts.googleapis.com/v1/token`: https, or http on loopback. */
  readonly stsEndpoint?: string | undefined
  /** Instead of `https://iamcredentials.googleapis.com`: https, or http on loopback. */
  readonly iamCredentialsEndpoint?: string | undefined
  /** Default: the platform's. */
  readonly fetch?: Fetch | undefined
}

/** Whom to act as. */
export interface Impersonation {
  /** The service account's e-mail. */
  readonly serviceAccount: string
  /** Accounts between the federated principal and the service account, first to last. */
  readonly delegates?: ReadonlyArray<string> | undefined
}

export const misconfigured = (setting: string, problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

export const noAudience = misconfigured(
  "audience",
  "is absent",
  "Write the provider's full name, or name a `credentialsFile` that has it."
)

export const jwtType = "urn:ietf:params:oauth:token-type:jwt"

/** The assertions that are taken: SAML, AWS requests and certificates are none. */
const subjectTokenTypes = [jwtType, "urn:ietf:params:oauth:token-type:id_token"]

export const federationOf = (options: Federation) =>
  Result.gen(function* () {
    const { subjectTokenType = jwtType, universeDomain = "googleapis.com", userProject } = options
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(universeDomain)) {
      return yield* misconfigured(
        "universeDomain",
        `"${universeDomain}" is no domain`,
        "Leave it out for the public cloud, which is googleapis.com."
      )
    }
    const provider = yield* parseAudience(options.audience, universeDomain)
    if (userProject !== undefined && provider.kind === "workload") {
      return yield* misconfigured(
        "userProject",
        "is for workforce pools, and the audience is of a workload pool",
        "Leave it out."
      )
    }
    if (!subjectTokenTypes.includes(subjectTokenType)) {
      return yield* misconfigured(
        "subjectTokenType",
        `"${subjectTokenType}" is no kind of assertion that is traded here`,
        `Take a provider for OpenID Connect: ${subjectTokenTypes.join(", ")}.`
      )
    }
    const sts = yield* endpoint(
      "stsEndpoint",
      options.stsEndpoint ?? `https://sts.${universeDomain}/v1/token`
    )
    const iamCredentials = yield* endpoint(
      "iamCredentialsEndpoint",
      options.iamCredentialsEndpoint ?? `https://iamcredentials.${universeDomain}`
    )
    return {
      provider,
      subjectTokenType,
      sts: sts.href,
      iamCredentials: iamCredentials.href.replace(/\/+$/, "")
    }
  })

/** A service account's e-mail. Default accounts of projects have other domains than their own. */
const email = /^[a-z0-9][a-z0-9._-]*@[a-z0-9.-]+\.[a-z]+$/

const checkEmail = (setting: string, value: string) =>
  email.test(value)
    ? Result.succeed(value)
    : misconfigured(
        setting,
        `"${value}" is no service account's e-mail`,
        "Write NAME@PROJECT.iam.gserviceaccount.com; `gcloud iam service-accounts list` shows them."
      )

export const impersonationOf = ({ delegates = [], serviceAccount }: Impersonation) =>
  Result.gen(function* () {
    yield* checkEmail("serviceAccount", serviceAccount)
    for (const delegate of delegates) yield* checkEmail("delegates", delegate)
    return {
      serviceAccount,
      ...(delegates.length > 0 && {
        delegates: delegates.map((each) => `projects/-/serviceAccounts/${each}`)
      })
    }
  })

/** In seconds; over an hour only where an organization policy allows it. */
const longestLifetime = 43_200

export const secondsOf = (lifetime: Duration.Input | undefined) => {
  if (lifetime === undefined) return Result.succeed(undefined)
  const seconds = Duration.toSeconds(Duration.fromInputUnsafe(lifetime))
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= longestLifetime
    ? Result.succeed(seconds)
    : misconfigured(
        "lifetime",
        `is ${seconds} s`,
        "Whole seconds, from 1 s to 12 h; over an hour only where the organization policy iam.allowServiceAccountCredentialLifetimeExtension allows it."
      )
}

/** As RFC 6749 §3.3 writes them. */
export const checkScopes = (scopes: ReadonlyArray<string>) => {
  const bad = scopes.find((scope) => !/^[!#-[\]-~]+$/.test(scope))
  return bad === undefined
    ? Result.succeed([...new Set(scopes)])
    : misconfigured("scopes", `"${bad}" is no scope`, "Write each scope by itself, without blanks.")
}
