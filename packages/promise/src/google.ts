/** Google Cloud's workload identity federation: access tokens and ID tokens for an assertion that a pool trusts. */
import * as Google from "@federate/google"
import { exchanger } from "./internal/plain.ts"

/** Access tokens of the federated principal, or of a service account. */
export const google = exchanger(Google.exchanger)

/** ID tokens of a service account, for Cloud Run, IAP and whoever else takes them. */
export const googleIdToken = exchanger(Google.idTokenExchanger)
