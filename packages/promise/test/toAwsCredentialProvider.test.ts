/** In the AWS SDK's own clients. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import type { STSClientConfig } from "@aws-sdk/client-sts"
import { assert, describe, it } from "@effect/vitest"
import { afterEach, expectTypeOf, vi } from "vitest"
import { awsRole } from "../src/aws.ts"
import { createFlow, toAwsCredentialProvider } from "../src/index.ts"
import { failure, issued, running } from "./flow.ts"

const sandbox = running({ aws: { trust: { issuer: "workload", subject: "workload" } } })

afterEach(() => vi.useRealTimers())

const role = (roleArn = sandbox().aws.federatedRoleArn ?? "") => {
  const { aws, http } = sandbox()
  return createFlow({
    source: issued(sandbox()).source,
    exchanger: awsRole({ roleArn, region: aws.region, endpoint: http })
  })
}

describe("toAwsCredentialProvider", () => {
  it("is what the AWS SDK takes", () => {
    expectTypeOf<ReturnType<typeof toAwsCredentialProvider>>().toExtend<
      STSClientConfig["credentials"]
    >()
  })

  it("signs the requests of a client, which asks for credentials once", async () => {
    await using flow = role()
    const { aws, http } = sandbox()
    const client = new STSClient({
      region: aws.region,
      endpoint: http,
      credentials: toAwsCredentialProvider(flow)
    })
    const exchanges = sandbox().count("sts.AssumeRoleWithWebIdentity")
    const { Account, Arn } = await client.send(new GetCallerIdentityCommand({}))
    await client.send(new GetCallerIdentityCommand({}))
    assert.strictEqual(Account, aws.accountId)
    assert.match(Arn ?? "", /:assumed-role\/federated\/federate$/)
    assert.strictEqual(sandbox().count("sts.AssumeRoleWithWebIdentity"), exchanges + 1)
  })

  it("says when they end, and whose they are", async () => {
    await using flow = role()
    const { accountId, expiration, ...keys } = await toAwsCredentialProvider(flow)()
    assert.strictEqual(expiration.getTime(), Math.floor(flow.current()?.expiresAt ?? 0))
    assert.strictEqual(accountId, sandbox().aws.accountId)
    assert.hasAllKeys(keys, ["accessKeyId", "secretAccessKey", "sessionToken"])
  })

  it("tells why there are none", async () => {
    await using flow = role("arn:aws:iam::123456789012:role/nobody")
    const { code, hint } = await failure(toAwsCredentialProvider(flow)())
    assert.strictEqual(code, "AccessDenied")
    assert.isString(hint)
  })
})
