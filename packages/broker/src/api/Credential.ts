/** A credential as the API hands it out. */
import type { AccessToken, AwsCredentials } from "@federate/core"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { timestamp } from "../timestamp.ts"
import { Timestamp } from "./Timestamp.ts"

const Token = Schema.Struct({
  type: Schema.Literal("access_token"),
  access_token: Schema.String.annotate({
    description: "The token; of a flow that issues assertions, the assertion"
  }),
  token_type: Schema.String.annotate({
    description: "As clients want it in a header; N_A when it is not an access token",
    examples: ["Bearer"]
  }),
  issued_token_type: Schema.optionalKey(
    Schema.String.annotate({ description: "What was issued (RFC 8693 §3)" })
  ),
  expires_at: Timestamp,
  expires_in: Schema.Int.annotate({ description: "Seconds that are left" }),
  scope: Schema.optionalKey(
    Schema.String.annotate({ description: "What was granted, where the issuer told" })
  )
}).annotate({
  identifier: "AccessToken",
  description: "A token, in the words of RFC 6749 §5.1 and RFC 8693 §2.2.1"
})

const Aws = Schema.Struct({
  type: Schema.Literal("aws_credentials"),
  Version: Schema.Literal(1),
  AccessKeyId: Schema.String,
  SecretAccessKey: Schema.String,
  SessionToken: Schema.String,
  AccountId: Schema.optionalKey(Schema.String),
  Expiration: Timestamp
}).annotate({
  identifier: "AwsCredentials",
  description: "AWS credentials, as its SDKs take them from a `credential_process`"
})

export const Credential = Schema.Union([Token, Aws]).annotate({ description: "The credential" })

/** @param now epoch milliseconds */
export const write = (
  credential: AccessToken | AwsCredentials,
  now: number
): typeof Credential.Type =>
  credential._tag === "AccessToken"
    ? {
        type: "access_token",
        access_token: Redacted.value(credential.token),
        token_type: credential.tokenType,
        ...(credential.issuedTokenType !== undefined && {
          issued_token_type: credential.issuedTokenType
        }),
        expires_at: timestamp(credential.expiresAt),
        expires_in: Math.max(0, Math.floor((credential.expiresAt - now) / 1000)),
        ...(credential.scopes !== undefined && { scope: credential.scopes.join(" ") })
      }
    : {
        type: "aws_credentials",
        Version: 1,
        AccessKeyId: credential.accessKeyId,
        SecretAccessKey: Redacted.value(credential.secretAccessKey),
        SessionToken: Redacted.value(credential.sessionToken),
        ...(credential.accountId !== undefined && { AccountId: credential.accountId }),
        Expiration: timestamp(credential.expiresAt)
      }
