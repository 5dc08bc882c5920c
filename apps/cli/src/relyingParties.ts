/** Whose trust records and errors can be explained, and read: the one list. */
import { relyingParty as aws, trustReader as awsReader } from "@federate/aws/trust"
import { relyingParty as cognito } from "@federate/cognito/trust"
import { relyingParty as entra, trustReader as entraReader } from "@federate/entra/trust"
import { relyingParty as google, trustReaders as googleReaders } from "@federate/google/trust"
import type { Platform } from "@federate/http"
import type { RelyingParty, TrustReader } from "@federate/trust"

export const relyingParties: ReadonlyArray<RelyingParty> = [entra, aws, cognito, google]

/** What is handed to one was decoded by the exchanger's schema of that very type: `never` takes any of them. */
export const trustReaders: ReadonlyArray<TrustReader<never, Platform>> = [
  entraReader,
  awsReader,
  ...googleReaders
]
