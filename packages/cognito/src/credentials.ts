/** The enhanced flow's last step: a login for AWS credentials of the pool's role. */
import type { GetCredentialsForIdentityCommandInput } from "@aws-sdk/client-cognito-identity"
import { endOf } from "@federate/aws-sdk"
import { Credential } from "@federate/core"
import type { AwsCredentials, Reason } from "@federate/core"
import type { HttpAnswer } from "@federate/http"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { CognitoClient } from "./client.ts"

/** `GetCredentialsForIdentity`, which is not signed: the login is all the authority there is. */
export const credentialsOf = Effect.fnUntraced(function* (
  client: CognitoClient,
  { CustomRoleArn, ...input }: GetCredentialsForIdentityCommandInput,
  refused: (answer: HttpAnswer) => Reason
): Effect.fn.Return<AwsCredentials, Reason> {
  const { answer, output } = yield* client.call(({ client: cognito, sdk }, signal) =>
    cognito.send(
      new sdk.GetCredentialsForIdentityCommand({
        ...input,
        ...(CustomRoleArn !== undefined && { CustomRoleArn })
      }),
      { abortSignal: signal }
    )
  )
  const { AccessKeyId, Expiration, SecretKey, SessionToken } = output?.Credentials ?? {}
  if (AccessKeyId === undefined || SecretKey === undefined || SessionToken === undefined)
    return yield* Effect.fail(refused(answer))
  return Credential.awsCredentials({
    accessKeyId: AccessKeyId,
    secretAccessKey: Redacted.make(SecretKey),
    sessionToken: Redacted.make(SessionToken),
    obtainedAt: answer.sentAt,
    expiresAt: yield* Effect.fromResult(endOf(Expiration?.getTime() ?? Number.NaN, answer))
  })
})
