/** `type: aws` in a config file: among the sources, and among the exchangers. */
import type { Adapter, AwsCredentials } from "@federate/core"
import type { Platform } from "@federate/http"
import { DurationFromText } from "@federate/schema"
import * as Schema from "effect/Schema"
import { exchanger as makeExchanger } from "./exchanger.ts"
import { algorithms, source as makeSource } from "./source.ts"

const endpoint = Schema.optionalKey(
  Schema.String.annotate({
    description: "Instead of AWS's own, and of AWS_ENDPOINT_URL_STS: https, or http on loopback"
  })
)

const sourceConfig = Schema.Struct({
  region: Schema.optionalKey(
    Schema.String.annotate({
      description: "Whose STS is asked; AWS_REGION's, or the profile's, without it",
      examples: ["eu-central-1"]
    })
  ),
  audiences: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "Whom the assertion is for where the exchanger demands nobody: 1 to 10"
    })
  ),
  signingAlgorithm: Schema.optionalKey(
    Schema.Literals(algorithms).annotate({
      description: "What the exchanger takes, without it; RS256 where it does not say"
    })
  ),
  duration: Schema.optionalKey(DurationFromText("From 1 minute to 1 hour; 5 minutes without it")),
  tags: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String).annotate({
      description: "At most 50; they stand in the token under https://sts.amazonaws.com/"
    })
  ),
  issuer: Schema.optionalKey(
    Schema.String.annotate({
      description: "Pins the account's issuer",
      examples: ["https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"]
    })
  ),
  endpoint
})

export const source: Adapter.SourceAdapter<
  typeof sourceConfig,
  typeof sourceConfig.Type,
  Platform
> = {
  type: "aws",
  description:
    "AWS STS, outbound web identity: a token about the workload's IAM role, by the account's own issuer",
  metered: true,
  config: sourceConfig,
  make: (options, { environment, fetch }) => makeSource({ ...options, environment, fetch })
}

const exchangerConfig = Schema.Struct({
  roleArn: Schema.String.annotate({
    description: "The role that trusts the assertion's issuer",
    examples: ["arn:aws:iam::123456789012:role/reader"]
  }),
  region: Schema.String.annotate({
    description: "Whose STS is asked: any active region of the role's partition",
    examples: ["eu-central-1"]
  }),
  roleSessionName: Schema.optionalKey(
    Schema.String.annotate({ description: "The session's name in CloudTrail; federate without it" })
  ),
  duration: Schema.optionalKey(
    DurationFromText("From 15 minutes to 12 hours, at most the role's own; an hour without it")
  ),
  policy: Schema.optionalKey(
    Schema.Union([Schema.String, Schema.Record(Schema.String, Schema.Unknown)]).annotate({
      description: "Narrows what the session may do: an IAM policy, as JSON or written out"
    })
  ),
  policyArns: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: "Managed policies that narrow what the session may do: at most 10"
    })
  ),
  audience: Schema.optionalKey(
    Schema.String.annotate({
      description: "The audience that the OIDC provider in IAM lists, where it must be that one"
    })
  ),
  endpoint
})

export const exchanger: Adapter.ExchangerAdapter<
  typeof exchangerConfig,
  typeof exchangerConfig.Type,
  Platform,
  AwsCredentials
> = {
  type: "aws",
  description: "AWS STS: credentials of an IAM role that trusts the assertion's issuer",
  config: exchangerConfig,
  issues: "AwsCredentials",
  cloud: "aws",
  make: (options, { environment, fetch }) => makeExchanger({ ...options, environment, fetch })
}
