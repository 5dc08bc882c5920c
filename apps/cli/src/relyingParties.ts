/** Whose trust records and errors can be explained, and read; and what can be looked at beforehand: the one list. */
import {
  relyingParty as aws,
  sourceCheckup as awsSource,
  trustReader as awsReader
} from "@federate/aws/trust"
import {
  exchangerCheckup as cognitoExchanger,
  relyingParty as cognito,
  sourceCheckup as cognitoSource
} from "@federate/cognito/trust"
import { relyingParty as entra, trustReader as entraReader } from "@federate/entra/trust"
import { relyingParty as google, trustReaders as googleReaders } from "@federate/google/trust"
import type { Platform } from "@federate/http"
import type { Checkup, RelyingParty, TrustReader } from "@federate/trust"

export const relyingParties: ReadonlyArray<RelyingParty> = [entra, aws, cognito, google]

/** What is handed to one was decoded by the adapter's schema of that very type: `never` takes any of them. */
export const trustReaders: ReadonlyArray<TrustReader<never, Platform>> = [
  entraReader,
  awsReader,
  ...googleReaders
]

type Checkups = ReadonlyArray<Checkup<never, Platform>>

export const checkups: { readonly sources: Checkups; readonly exchangers: Checkups } = {
  sources: [awsSource, cognitoSource],
  exchangers: [cognitoExchanger]
}
