/** What a config file may name: the one list, for the server and the command. */
import * as ambient from "@federate/ambient/adapter"
import * as aws from "@federate/aws/adapter"
import { section } from "@federate/broker/config"
import * as cognito from "@federate/cognito/adapter"
import type { Adapters } from "@federate/config"
import * as entra from "@federate/entra/adapter"
import * as google from "@federate/google/adapter"
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
    entra.exchanger,
    google.exchanger,
    google.idTokenExchanger,
    oidc.jwtBearer,
    oidc.tokenExchange
  ]
}

/** What stands in a config file besides its flows. */
export const sections = { broker: section }
