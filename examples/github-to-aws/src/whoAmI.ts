/** Asks AWS who a GitHub Actions job is there, as the role that the flow of federate.yaml brings. */
import { readFile } from "node:fs/promises"
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts"
import { sources } from "@federate/ambient/adapter"
import { exchanger } from "@federate/aws/adapter"
import { decode } from "@federate/config"
import type { AwsCredentials } from "@federate/core"
import { Effect, Redacted, Scope } from "effect"

const makeFlow = Effect.gen(function* () {
  const file = new URL("../federate.yaml", import.meta.url)
  const { flows } = yield* decode(yield* Effect.promise(() => readFile(file, "utf8")), {
    file: "federate.yaml",
    adapters: { sources, exchangers: [exchanger] },
    platform: {},
    environment: (name) => process.env[name]
  })
  return yield* flows.get("aws")!.make()
})

// Once, in a scope that nobody closes: the credentials that it remembers live as long as the process.
const flow = await Effect.runPromise(Scope.provide(makeFlow, Scope.makeUnsafe()))

/** For any client of the AWS SDK, which asks again before they end. */
const credentials = async () => {
  // The flow's exchanger issues these.
  const { accessKeyId, expiresAt, secretAccessKey, sessionToken } = (await Effect.runPromise(
    flow.credential()
  )) as AwsCredentials
  return {
    accessKeyId,
    secretAccessKey: Redacted.value(secretAccessKey),
    sessionToken: Redacted.value(sessionToken),
    expiration: new Date(expiresAt)
  }
}

const sts = new STSClient({ credentials })

export const whoAmI = async () => (await sts.send(new GetCallerIdentityCommand({}))).Arn
