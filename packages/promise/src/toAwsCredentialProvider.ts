/** The AWS SDK's credential provider. */
import type { AwsCredentials } from "./Credential.ts"
import type { Flow } from "./Flow.ts"

/** What the AWS SDK calls `AwsCredentialIdentity`. */
export interface AwsCredentialIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: Date
  readonly accountId?: string
}

/** For the `credentials` of every client of the AWS SDK. */
export const toAwsCredentialProvider =
  (flow: Flow<AwsCredentials>): (() => Promise<AwsCredentialIdentity>) =>
  async () => {
    const { accessKeyId, accountId, expiresAt, secretAccessKey, sessionToken } =
      await flow.credential()
    return {
      accessKeyId,
      secretAccessKey,
      sessionToken,
      expiration: new Date(expiresAt),
      ...(accountId !== undefined && { accountId })
    }
  }
