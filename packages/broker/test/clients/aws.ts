/** `aws.ts PROVIDER STS [COMMAND]`: asks a provider of `@aws-sdk/credential-providers`, and signs a call with what it got. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import {
  fromContainerMetadata,
  fromHttp,
  fromInstanceMetadata,
  fromNodeProviderChain,
  fromProcess
} from "@aws-sdk/credential-providers"
import { answer } from "./answering.ts"

const [kind = "", endpoint = ""] = process.argv.slice(2)

const providers = {
  fromContainerMetadata,
  fromHttp,
  fromInstanceMetadata,
  fromNodeProviderChain,
  fromProcess
}

const client = new STSClient({
  endpoint,
  maxAttempts: 1,
  credentials: providers[kind as keyof typeof providers]() // the tests name these alone
})
await answer(async () => {
  const { Arn } = await client.send(new GetCallerIdentityCommand())
  const { expiration, sessionToken } = await client.config.credentials()
  return { token: sessionToken, expiresOn: (expiration?.getTime() ?? 0) / 1000, arn: Arn }
})
