/** Google's credential configuration files (`"type": "external_account"`), as settings of our own. */
import { Misconfigured } from "@federate/core"
import * as Duration from "effect/Duration"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import type { Options } from "./exchanger.ts"

const format = Schema.Union([
  Schema.Struct({ type: Schema.Literal("text") }),
  Schema.Struct({ type: Schema.Literal("json"), subject_token_field_name: Schema.String })
])

/** https://google.aip.dev/auth/4117; what is not named here does not matter to an exchange. */
const document = Schema.Struct({
  type: Schema.Literal("external_account"),
  audience: Schema.String,
  subject_token_type: Schema.String,
  token_url: Schema.String,
  service_account_impersonation_url: Schema.optionalKey(Schema.String),
  service_account_impersonation: Schema.optionalKey(
    Schema.Struct({ token_lifetime_seconds: Schema.optionalKey(Schema.Number) })
  ),
  universe_domain: Schema.optionalKey(Schema.String),
  workforce_pool_user_project: Schema.optionalKey(Schema.String),
  client_id: Schema.optionalKey(Schema.String),
  credential_source: Schema.Struct({
    file: Schema.optionalKey(Schema.String),
    url: Schema.optionalKey(Schema.String),
    headers: Schema.optionalKey(
      Schema.Record(Schema.String, Schema.RedactedFromValue(Schema.String))
    ),
    format: Schema.optionalKey(format),
    executable: Schema.optionalKey(
      Schema.Struct({
        command: Schema.String,
        timeout_millis: Schema.optionalKey(Schema.Number),
        output_file: Schema.optionalKey(Schema.String)
      })
    ),
    environment_id: Schema.optionalKey(Schema.String),
    certificate: Schema.optionalKey(Schema.Unknown)
  })
})

/** Where such a file says that the assertion comes from. */
export type CredentialSource = (typeof document.Type)["credential_source"]

export interface ExternalAccount {
  /** What {@link exchanger} takes. */
  readonly options: Options
  readonly credentialSource: CredentialSource
}

export interface ExternalAccountOptions {
  /** Takes a file's endpoints elsewhere than at `*.googleapis.com`: another universe, a sandbox. Default false. */
  readonly foreignHosts?: boolean | undefined
}

const setting = "credentialsFile"

const wrong = (problem: string, hint: string) =>
  Result.fail(new Misconfigured({ setting, problem, hint }))

/**
 * Reads the parsed document. Such a file decides where assertions are sent: unless `foreignHosts` says otherwise, its
 * endpoints must be Google's own, on https.
 */
export const externalAccount = (
  parsed: unknown,
  { foreignHosts = false }: ExternalAccountOptions = {}
): Result.Result<ExternalAccount, Misconfigured> =>
  Result.gen(function* () {
    const exit = SchemaParser.decodeUnknownExit(document)(parsed)
    if (Exit.isFailure(exit)) return yield* undecodable(parsed, Cause.squash(exit.cause))
    const { credential_source: credentialSource, ...file } = exit.value
    if (file.client_id !== undefined) {
      return yield* wrong(
        "has a client_id",
        "Federate has no OAuth client of workforce pools: take a provider of a workload pool."
      )
    }
    const lifetime = file.service_account_impersonation?.token_lifetime_seconds
    const options: Options = {
      audience: file.audience,
      subjectTokenType: file.subject_token_type,
      stsEndpoint: yield* ofGoogle("token_url", file.token_url, foreignHosts),
      ...(file.universe_domain !== undefined && { universeDomain: file.universe_domain }),
      ...(file.workforce_pool_user_project !== undefined && {
        userProject: file.workforce_pool_user_project
      }),
      ...(file.service_account_impersonation_url !== undefined && {
        ...(yield* impersonated(file.service_account_impersonation_url, foreignHosts)),
        ...(lifetime !== undefined && { lifetime: Duration.seconds(lifetime) })
      })
    }
    return { options, credentialSource }
  })

/** By its first problem, which names a field and quotes nothing. */
const undecodable = (parsed: unknown, issue: unknown) => {
  const type =
    typeof parsed === "object" && parsed !== null && "type" in parsed ? parsed.type : undefined
  if (typeof type === "string" && type !== "external_account") {
    return wrong(
      `is of the type "${type}"`,
      "Federation needs no key: write a file by `gcloud iam workload-identity-pools create-cred-config`."
    )
  }
  const path = SchemaIssue.isIssue(issue) ? (problems(issue).issues[0]?.path ?? []) : []
  const field = path.map((each) => String(typeof each === "object" ? each.key : each)).join(".")
  return wrong(
    field === ""
      ? "is no JSON object"
      : `is no credential configuration: ${field} is absent or wrong`,
    "Write it by `gcloud iam workload-identity-pools create-cred-config`."
  )
}

const problems = SchemaIssue.makeFormatterStandardSchemaV1()

/** The file may come from elsewhere, and who names the endpoint gets the assertion. */
const ofGoogle = (field: string, value: string, foreignHosts: boolean) => {
  const url = URL.parse(value)
  return foreignHosts ||
    (url?.protocol === "https:" && url.port === "" && url.hostname.endsWith(".googleapis.com"))
    ? Result.succeed(value)
    : wrong(
        `its ${field} is not at Google: ${url?.host ?? "it is no URL"}`,
        "Do not use a file of unknown origin. For another universe or a sandbox set `foreignHosts: true`."
      )
}

const impersonated = (value: string, foreignHosts: boolean) =>
  Result.gen(function* () {
    const field = "service_account_impersonation_url"
    const url = yield* ofGoogle(field, value, foreignHosts)
    const [, iamCredentialsEndpoint, serviceAccount] =
      /^(https?:\/\/[^/]+)\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(
        url
      ) ?? []
    return iamCredentialsEndpoint === undefined || serviceAccount === undefined
      ? yield* wrong(
          `its ${field} is not of the form https://HOST/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken`,
          "Write the file anew by `gcloud iam workload-identity-pools create-cred-config`."
        )
      : { iamCredentialsEndpoint, serviceAccount }
  })
