/** Whose trust records and errors can be explained, and read; and what can be looked at beforehand: the one list. */
import { kubernetesTokenRequestRules } from "@federate/ambient/trust"
import {
  documentRule as awsDocumentRule,
  exchangerRules as awsExchangerRules,
  relyingParty as aws,
  sourceCheckup as awsSource,
  sourceRules as awsSourceRules,
  trustReader as awsReader
} from "@federate/aws/trust"
import {
  documentRule as cognitoDocumentRule,
  exchangerCheckup as cognitoExchanger,
  loginRules as cognitoLoginRules,
  relyingParty as cognito,
  sourceCheckup as cognitoSource,
  sourceRules as cognitoSourceRules
} from "@federate/cognito/trust"
import {
  exchangerRules as entraExchangerRules,
  relyingParty as entra,
  trustReader as entraReader
} from "@federate/entra/trust"
import {
  documentRule as googleDocumentRule,
  exchangerRules as googleExchangerRules,
  idTokenRules as googleIdTokenRules,
  relyingParty as google,
  sourceRules as googleSourceRules,
  trustReaders as googleReaders
} from "@federate/google/trust"
import type { Platform } from "@federate/http"
import { selfSignedRules } from "@federate/trust"
import type { Checkup, LintRules, RelyingParty, TrustReader } from "@federate/trust"

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

export const lintRules: LintRules = {
  parties: relyingParties,
  sources: [
    awsSourceRules,
    cognitoLoginRules,
    cognitoSourceRules,
    googleSourceRules,
    kubernetesTokenRequestRules,
    selfSignedRules
  ],
  exchangers: [awsExchangerRules, entraExchangerRules, googleExchangerRules, googleIdTokenRules],
  documents: [awsDocumentRule, cognitoDocumentRule, googleDocumentRule]
}
