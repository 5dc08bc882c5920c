/** Microsoft Entra ID: access tokens for an assertion that the app trusts. */
import * as Entra from "@federate/entra"
import { exchanger } from "./internal/plain.ts"

/** Tokens of the app itself: client credentials with a federated assertion in the place of a secret. */
export const entra = exchanger(Entra.exchanger)

/** Tokens on behalf of a user, whose access token for the app is the flow's source. */
export const entraOnBehalfOf = exchanger(Entra.onBehalfOf)
