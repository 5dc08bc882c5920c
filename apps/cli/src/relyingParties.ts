/** Whose trust records and errors can be explained: the one list. */
import { relyingParty as aws } from "@federate/aws/trust"
import { relyingParty as cognito } from "@federate/cognito/trust"
import { relyingParty as entra } from "@federate/entra/trust"
import { relyingParty as google } from "@federate/google/trust"
import type { RelyingParty } from "@federate/trust"

export const relyingParties: ReadonlyArray<RelyingParty> = [entra, aws, cognito, google]
