/** `type: google` and `type: google-id-token` among the exchangers, `type: google-external-account` among the sources. */
import { configured } from "@federate/core"
import type { AccessToken, Adapter } from "@federate/core"
import type { Platform } from "@federate/http"
import { executablesAllowed } from "@federate/local"
import { DurationFromText } from "@federate/schema"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { noAudience } from "./settings.ts"
import { readCredentialsFile } from "./credentialsFile.ts"
import { exchanger as makeExchanger } from "./exchanger.ts"
import { idTokenExchanger as makeIdTokenExchanger } from "./idTokenExchanger.ts"
import { externalAccountSource } from "./source.ts"

const serviceAccount = Schema.String.annotate({
  description: "The e-mail of the service account to act as",
  examples: ["NAME@PROJECT.iam.gserviceaccount.com"]
})

const audience = Schema.String.annotate({
  description: "The provider's full name, with the project's number",
  examples: [
    "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
  ]
})

const credentialsFile = Schema.String.annotate({
  description: "A credential configuration file of Google's (external_account)"
})

const foreignHosts = Schema.optionalKey(
  Schema.Boolean.annotate({
    description: "Takes that file's endpoints elsewhere than at Google: another universe, a sandbox"
  })
)

const federation = {
  allowedAudience: Schema.optionalKey(
    Schema.String.annotate({
      description: "The assertion's audience, where the provider lists allowed audiences of its own"
    })
  ),
  delegates: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "Service accounts between the federated principal and `serviceAccount`"
    })
  ),
  subjectTokenType: Schema.optionalKey(
    Schema.String.annotate({
      description: "urn:ietf:params:oauth:token-type:jwt without it, or …:id_token"
    })
  ),
  userProject: Schema.optionalKey(
    Schema.String.annotate({
      description: "The project that a workforce pool's calls are billed to"
    })
  ),
  universeDomain: Schema.optionalKey(
    Schema.String.annotate({ description: "googleapis.com without it: moves both endpoints" })
  ),
  stsEndpoint: Schema.optionalKey(
    Schema.String.annotate({ description: "Instead of Google's own: https, or http on loopback" })
  ),
  iamCredentialsEndpoint: Schema.optionalKey(
    Schema.String.annotate({ description: "Instead of Google's own: https, or http on loopback" })
  )
}

const config = Schema.Struct({
  audience: Schema.optionalKey(audience),
  credentialsFile: Schema.optionalKey(credentialsFile),
  foreignHosts,
  ...federation,
  serviceAccount: Schema.optionalKey(serviceAccount),
  scopes: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "What is asked for when the caller does not say: cloud-platform without it",
      examples: [["https://www.googleapis.com/auth/devstorage.read_only"]]
    })
  ),
  lifetime: Schema.optionalKey(
    DurationFromText("Of the service account's tokens: 1 s to 12 h; an hour without it")
  )
})

export const exchanger: Adapter.ExchangerAdapter<
  typeof config,
  typeof config.Type,
  Platform,
  AccessToken
> = {
  type: "google",
  description:
    "Google Cloud: an access token of the federated principal, or of the service account it acts as",
  config,
  issues: "AccessToken",
  cloud: "google",
  client: (options) => options.serviceAccount,
  scopes: ({ scopes }) => scopes,
  make: Effect.fnUntraced(function* (
    { audience: named, credentialsFile: file, foreignHosts: foreign, ...own },
    { fetch }
  ) {
    const read =
      file === undefined
        ? undefined
        : yield* readCredentialsFile("google", file, { foreignHosts: foreign })
    const known = named ?? read?.options.audience
    return known === undefined
      ? yield* configured("google", noAudience)
      : // What is written beside the file goes before what stands in it.
        yield* makeExchanger({ ...read?.options, ...own, audience: known, fetch })
  })
}

const idTokenConfig = Schema.Struct({
  audience,
  ...federation,
  serviceAccount,
  idTokenAudience: Schema.optionalKey(
    Schema.String.annotate({
      description: "Whom the ID token is for, where the caller does not say",
      examples: ["https://SERVICE-HASH.REGION.run.app"]
    })
  ),
  includeEmail: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "Whether the token tells the account's e-mail; true without it"
    })
  )
})

/** Of no cloud: what it issues is an assertion of Google's, for whoever it names as its audience. */
export const idTokenExchanger: Adapter.ExchangerAdapter<
  typeof idTokenConfig,
  typeof idTokenConfig.Type,
  Platform,
  AccessToken
> = {
  type: "google-id-token",
  description:
    "Google Cloud: a service account's ID token, for Cloud Run, IAP, or another relying party",
  config: idTokenConfig,
  issues: "Assertion",
  make: (options, { fetch }) => makeIdTokenExchanger({ ...options, fetch })
}

const sourceConfig = Schema.Struct({
  credentialsFile,
  foreignHosts,
  allowExecutables: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "Runs the command that the file names, where FEDERATE_ALLOW_EXECUTABLES=1"
    })
  )
})

export const source: Adapter.SourceAdapter<
  typeof sourceConfig,
  typeof sourceConfig.Type,
  Platform
> = {
  type: "google-external-account",
  description:
    "The token that a credential configuration file of Google's leads to: in a file, at a URL, or from a command",
  metered: false,
  config: sourceConfig,
  make: Effect.fnUntraced(function* (
    { allowExecutables, credentialsFile: file, foreignHosts: foreign },
    { environment, fetch }
  ) {
    if (allowExecutables === true) {
      yield* configured(
        "google-external-account",
        executablesAllowed("allowExecutables", environment)
      )
    }
    const account = yield* readCredentialsFile("google-external-account", file, {
      foreignHosts: foreign
    })
    return yield* externalAccountSource({ ...account, allowExecutables, fetch })
  })
}
