/** `type: cognito` and `type: cognito-login` in a config file, among the sources and among the exchangers. */
import type { Adapter, AwsCredentials } from "@federate/core"
import type { Platform } from "@federate/http"
import { DurationFromText } from "@federate/schema"
import * as Schema from "effect/Schema"
import { exchanger as makeExchanger } from "./exchanger.ts"
import { loginExchanger as makeLoginExchanger } from "./loginExchanger.ts"
import { loginSource as makeLoginSource } from "./loginSource.ts"
import { source as makeSource } from "./source.ts"

const endpoint = Schema.optionalKey(
  Schema.String.annotate({ description: "Instead of AWS's own: https, or http on loopback" })
)

const identityId = Schema.optionalKey(
  Schema.String.annotate({ description: "Pins the identity, which is the assertion's subject" })
)

const sourceConfig = Schema.Struct({
  identityPoolId: Schema.String.annotate({
    description: "The identity pool's id, REGION:GUID: the assertion's audience",
    examples: ["eu-central-1:00000000-0000-0000-0000-000000000000"]
  }),
  logins: Schema.Record(Schema.String, Schema.RedactedFromValue(Schema.String)).annotate({
    description:
      "The pool's developer provider with this workload's user id: { my.dev.provider: my_user_id }"
  }),
  identityId,
  tokenDuration: Schema.optionalKey(DurationFromText("From 1 s to 24 h; 15 minutes without it")),
  principalTags: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String).annotate({
      description: "At most 50; they stand in the token under https://aws.amazon.com/tags"
    })
  ),
  region: Schema.optionalKey(
    Schema.String.annotate({ description: "Only to be checked: the region is the pool's" })
  ),
  endpoint
})

export const source: Adapter.SourceAdapter<
  typeof sourceConfig,
  typeof sourceConfig.Type,
  Platform
> = {
  type: "cognito",
  description:
    "Amazon Cognito identity pool, developer identity: signed for with the workload's AWS credentials",
  metered: true,
  config: sourceConfig,
  make: (options, { fetch }) => makeSource({ ...options, fetch })
}

const loginAudience = Schema.optionalKey(
  Schema.String.annotate({
    description: "The audience that the OpenID provider in IAM lists, where it must be that one"
  })
)

const loginConfig = Schema.Struct({
  identityPoolId: Schema.String.annotate({
    description: "The identity pool's id, REGION:GUID: the assertion's audience"
  }),
  audience: loginAudience,
  identityId,
  endpoint
})

export const loginSource: Adapter.LayerAdapter<
  typeof loginConfig,
  typeof loginConfig.Type,
  Platform
> = {
  type: "cognito-login",
  description:
    "Amazon Cognito identity pool, public login: the assertion of another source logs in, without AWS credentials",
  metered: true,
  layer: true,
  config: loginConfig,
  make: (options, { fetch }, login) => makeLoginSource({ ...options, login, fetch })
}

const customRoleArn = Schema.optionalKey(
  Schema.String.annotate({ description: "One of several roles that the pool's rules allow" })
)

const exchangerConfig = Schema.Struct({
  identityPoolId: Schema.String.annotate({
    description:
      "The identity pool's id, REGION:GUID: the assertion's audience, and whose roles the credentials are for"
  }),
  customRoleArn,
  endpoint
})

export const exchanger: Adapter.ExchangerAdapter<
  typeof exchangerConfig,
  typeof exchangerConfig.Type,
  Platform,
  AwsCredentials
> = {
  type: "cognito",
  description: "Amazon Cognito identity pool: AWS credentials of its role, for a token of its own",
  config: exchangerConfig,
  issues: "AwsCredentials",
  cloud: "aws",
  make: (options, { fetch }) => makeExchanger({ ...options, fetch })
}

const loginExchangerConfig = Schema.Struct({
  identityPoolId: Schema.String.annotate({
    description: "The identity pool's id, REGION:GUID: whose roles the credentials are for"
  }),
  audience: loginAudience,
  identityId: Schema.optionalKey(
    Schema.String.annotate({ description: "Pins the identity, which also saves a call" })
  ),
  customRoleArn,
  endpoint
})

export const loginExchanger: Adapter.ExchangerAdapter<
  typeof loginExchangerConfig,
  typeof loginExchangerConfig.Type,
  Platform,
  AwsCredentials
> = {
  type: "cognito-login",
  description:
    "Amazon Cognito identity pool: AWS credentials of its role, for who logs in with another issuer's assertion",
  config: loginExchangerConfig,
  issues: "AwsCredentials",
  cloud: "aws",
  make: (options, { fetch }) => makeLoginExchanger({ ...options, fetch })
}
