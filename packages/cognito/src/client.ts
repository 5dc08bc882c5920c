/** Amazon Cognito's client of the AWS SDK. */
import type {
  CognitoIdentityClient,
  CognitoIdentityClientConfig
} from "@aws-sdk/client-cognito-identity"
import { makeClient as makeAwsClient } from "@federate/aws-sdk"
import type { Client } from "@federate/aws-sdk"
import type { Fetch } from "@federate/http"
import type * as Effect from "effect/Effect"

/** The client, and the package that its commands are in. */
export interface Cognito {
  readonly client: CognitoIdentityClient
  readonly sdk: typeof import("@aws-sdk/client-cognito-identity")
}

export interface ClientOptions {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly credentials?: CognitoIdentityClientConfig["credentials"] | undefined
  readonly fetch?: Fetch | undefined
}

export type CognitoClient = Client<Cognito>

export const makeClient = ({
  credentials,
  endpoint,
  fetch,
  region
}: ClientOptions): Effect.Effect<CognitoClient> =>
  makeAwsClient({
    setting: "cognito",
    fetch,
    load: async (configuration) => {
      const sdk = await import("@aws-sdk/client-cognito-identity")
      const client = new sdk.CognitoIdentityClient({
        ...configuration,
        region,
        ...(endpoint !== undefined && { endpoint }),
        ...(credentials !== undefined && { credentials })
      })
      return { client, sdk }
    }
  })
