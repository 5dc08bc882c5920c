/** The platforms that a workload already runs on: each gives the token that it finds there. */
import * as Ambient from "@federate/ambient"
import { meteredSource, source } from "./internal/plain.ts"

/** Azure's managed identities: App Service, Functions, Container Apps, virtual machines. */
export const azureManagedIdentity = meteredSource(Ambient.azureManagedIdentity)

/** Azure Pipelines: a token about a service connection, for Entra. */
export const azurePipelines = meteredSource(Ambient.azurePipelines)

/** Buildkite: a token about the job. */
export const buildkite = meteredSource(Ambient.buildkite)

/** CircleCI: a token about the job. */
export const circleci = source(Ambient.circleci)

/** An environment variable: the token that a platform puts there. */
export const environment = source(Ambient.environment)

/** A program that prints a token, or answers as Google's executables do. */
export const executable = source(Ambient.executable)

/** A file: the token that a platform leaves there, read each time. */
export const file = source(Ambient.file)

/** Fly.io: a token about the machine. */
export const fly = meteredSource(Ambient.fly)

/** GitHub Actions: a token about the job. It needs `permissions: id-token: write`. */
export const githubActions = meteredSource(Ambient.githubActions)

/** GitLab CI/CD: the ID token that a job has in a variable. */
export const gitlab = source(Ambient.gitlab)

/** Google's metadata server: the service account that the instance runs as. */
export const googleMetadata = meteredSource(Ambient.googleMetadata)

/** HCP Terraform: the workload identity token of a run. */
export const hcpTerraform = source(Ambient.hcpTerraform)

/** The service account token that a pod has in a projected volume. */
export const kubernetes = source(Ambient.kubernetes)

/** Kubernetes' TokenRequest: a service account token for whatever audience is asked for. */
export const kubernetesTokenRequest = meteredSource(Ambient.kubernetesTokenRequest, { token: true })

/** The SPIFFE Workload API: JWT-SVIDs of the agent on this machine. */
export const spiffe = source(Ambient.spiffe)

/** HashiCorp Vault and OpenBao: identity tokens. */
export const vault = source(Ambient.vault, { token: true })

/** Vercel: a token about the project and its environment. */
export const vercel = source(Ambient.vercel)
