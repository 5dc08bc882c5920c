/** The platforms that a workload already runs on: each gives the token that it finds there. */
import * as Ambient from "@federate/ambient"
import { meteredSource, source } from "./internal/plain.ts"

/** Azure's managed identities: App Service, Functions, Container Apps, virtual machines. */
export const azureManagedIdentity = meteredSource(Ambient.azureManagedIdentity)

/** Google's metadata server: the service account that the instance runs as. */
export const googleMetadata = meteredSource(Ambient.googleMetadata)

/** The service account token that a pod has in a projected volume. */
export const kubernetes = source(Ambient.kubernetes)

/** Kubernetes' TokenRequest: a service account token for whatever audience is asked for. */
export const kubernetesTokenRequest = meteredSource(Ambient.kubernetesTokenRequest, { token: true })

/** The SPIFFE Workload API: JWT-SVIDs of the agent on this machine. */
export const spiffe = source(Ambient.spiffe)

/** HashiCorp Vault and OpenBao: identity tokens. */
export const vault = source(Ambient.vault, { token: true })
