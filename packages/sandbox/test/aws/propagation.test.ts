import { AssumeRoleWithWebIdentityCommand, GetWebIdentityTokenCommand } from "@aws-sdk/client-sts"
import { assert, describe, it } from "@effect/vitest"
import { refusal } from "../aws.ts"
import { running } from "../running.ts"
import { allow, createRole, federated, stsClient, trustIssuer } from "../sts.ts"

const sandbox = running({ setup: "empty" })

describe("a trust that was just set up", () => {
  it("is not seen until it has spread, part by part", async () => {
    const issuer = sandbox().issuerUrl("late")
    const assume = async () =>
      stsClient(sandbox()).send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: `arn:aws:iam::${sandbox().aws.accountId}:role/late`,
          RoleSessionName: "late",
          WebIdentityToken: await sandbox().issueToken("late", { subject: "s", audience: "a" })
        })
      )
    sandbox().propagation("1 hour")
    const provider = await trustIssuer(sandbox(), issuer, "a")
    assert.match((await refusal(assume())).message, /No OpenIDConnect provider found/)
    await createRole(sandbox(), "late", federated(provider))
    sandbox().propagation(0)
    const { Credentials: { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = {} } =
      await assume()
    const keys = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken
    }
    sandbox().propagation("1 hour")
    await allow(sandbox(), "late", "sts:GetWebIdentityToken")
    const ask = () =>
      stsClient(sandbox(), { keys }).send(
        new GetWebIdentityTokenCommand({ Audience: ["a"], SigningAlgorithm: "RS256" })
      )
    assert.deepInclude(await refusal(ask()), { name: "AccessDenied" })
    sandbox().propagation(0)
    // Allowed by now: only that the account has not switched it on is left to say.
    assert.deepInclude(await refusal(ask()), {
      name: "OutboundWebIdentityFederationDisabledException"
    })
  })
})
