/** What a config file may name: the one list, for the server and the command. */
import * as ambient from "@federate/ambient/adapter"
import * as aws from "@federate/aws/adapter"
import { exchangerSide as awsExchangerSide, sourceSide as awsSourceSide } from "@federate/aws/trust"
import { section } from "@federate/broker/config"
import * as cognito from "@federate/cognito/adapter"
import { sourceSide as cognitoSide } from "@federate/cognito/trust"
import type { Adapters, TrustSides } from "@federate/config"
import * as entra from "@federate/entra/adapter"
import { exchangerSide as entraSide } from "@federate/entra/trust"
import * as google from "@federate/google/adapter"
import { exchangerSides as googleSides } from "@federate/google/trust"
import type { Platform } from "@federate/http"
import * as oidc from "@federate/oidc/adapter"

export const adapters: Adapters<Platform> = {
  sources: [
    ...ambient.sources,
    aws.source,
    cognito.source,
    cognito.loginSource,
    google.source,
    oidc.clientCredentials,
    oidc.selfSigned
  ],
  exchangers: [
    aws.exchanger,
    cognito.exchanger,
    cognito.loginExchanger,
    entra.exchanger,
    google.exchanger,
    google.idTokenExchanger,
    oidc.jwtBearer,
    oidc.tokenExchange
  ]
}

/** Whose trust `federate trust` sets up. */
export const sides: TrustSides<Platform> = {
  sources: [awsSourceSide, cognitoSide],
  exchangers: [awsExchangerSide, entraSide, ...googleSides]
}

/** What stands in a config file besides its flows. */
export const sections = { broker: section }
