/** The environment by which unmodified clients find the broker. */
import * as Redacted from "effect/Redacted"
import { secretlessProtocols } from "./BrokerConfig.ts"
import type { BrokerConfig, SecretlessProtocol } from "./BrokerConfig.ts"
import type { Secrets } from "./Broker.ts"
import * as aws from "./protocols/aws.ts"
import * as azure from "./protocols/azure.ts"
import type { ServedFlow } from "./ServedFlow.ts"

/** Variables by name, for the flows at hand. */
export const variables =
  (flows: ReadonlyArray<ServedFlow>, config: BrokerConfig, secrets: Secrets) =>
  (origin: string): Readonly<Record<string, Redacted.Redacted>> => {
    const spoken = new Set<SecretlessProtocol>(config.withoutSecret ?? secretlessProtocols)
    const { host } = new URL(origin)
    const found: Record<string, string | Redacted.Redacted> = {
      FEDERATE_BROKER_URL: origin,
      FEDERATE_BROKER_TOKEN: secrets.broker.text
    }
    if (servesAzure(flows, config)) {
      const endpoint = `${origin}${azure.paths.appService}`
      found["IDENTITY_ENDPOINT"] = endpoint
      found["IDENTITY_HEADER"] = secrets.azure.text
      // The same under the names of 2017-09-01, for what is older.
      found["MSI_ENDPOINT"] = endpoint
      found["MSI_SECRET"] = secrets.azure.text
      if (spoken.has("azure-imds")) found["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = origin
    }
    if (spoken.has("gce") && servesGoogle(flows, config)) {
      found["GCE_METADATA_HOST"] = host
      found["GCE_METADATA_IP"] = host
      // Its name in gcloud, and in older Python.
      found["GCE_METADATA_ROOT"] = host
      if (config.gce?.projectId !== undefined) {
        found["GOOGLE_CLOUD_PROJECT"] = config.gce.projectId
      }
    }
    if (flows.some(({ issues }) => issues === "AwsCredentials")) {
      found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = `${origin}${aws.paths.container}`
      found["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = secrets.aws.text
      // With the slash: AWS's command line, in version 2.9, puts its paths right behind it.
      if (spoken.has("aws-imds")) found["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = `${origin}/`
      if (config.aws?.region !== undefined) {
        found["AWS_REGION"] = config.aws.region
        // What the Python SDK and its command line read in its place.
        found["AWS_DEFAULT_REGION"] = config.aws.region
      }
    }
    for (const { aws: role, azure: app, path } of config.tokenFiles ?? []) {
      if (app !== undefined) {
        found["AZURE_FEDERATED_TOKEN_FILE"] = path
        found["AZURE_TENANT_ID"] = app.tenantId
        found["AZURE_CLIENT_ID"] = app.clientId
        if (app.authorityHost !== undefined) found["AZURE_AUTHORITY_HOST"] = app.authorityHost
      }
      if (role !== undefined) {
        found["AWS_WEB_IDENTITY_TOKEN_FILE"] = path
        found["AWS_ROLE_ARN"] = role.roleArn
        if (role.roleSessionName !== undefined) {
          found["AWS_ROLE_SESSION_NAME"] = role.roleSessionName
        }
      }
    }
    return Object.fromEntries(
      Object.entries(found).map(([name, value]) => [
        name,
        Redacted.isRedacted(value) ? value : Redacted.make(value)
      ])
    )
  }

/** Whether Azure's SDKs get tokens: from a flow for Azure, or from one that the config maps to them. */
export const servesAzure = (
  flows: ReadonlyArray<ServedFlow>,
  { azure: { flow, identities = {}, resources = {} } = {} }: BrokerConfig
): boolean =>
  flow !== undefined ||
  Object.keys({ ...resources, ...identities }).length > 0 ||
  flows.some((served) => served.issues === "AccessToken" && served.cloud === "azure")

const servesGoogle = (flows: ReadonlyArray<ServedFlow>, { gce: config = {} }: BrokerConfig) =>
  config.flow !== undefined ||
  flows.some(
    (served) =>
      served.issues === "Assertion" ||
      (served.issues === "AccessToken" && served.cloud === "google")
  )
