/** Asks STS whom AWS's default provider chain makes of it, in the region of its surroundings, and prints the answer. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { fromNodeProviderChain } from "@aws-sdk/credential-providers"

const client = new STSClient({ credentials: fromNodeProviderChain(), maxAttempts: 1 })
const { Arn } = await client.send(new GetCallerIdentityCommand())
console.log(JSON.stringify({ arn: Arn, region: await client.config.region() }))
