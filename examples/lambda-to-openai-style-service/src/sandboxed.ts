/** A sandbox in which both halves of the trust are in place: AWS issues, and the service believes. */
import {
  EnableOutboundWebIdentityFederationCommand,
  IAMClient,
  PutRolePolicyCommand
} from "@aws-sdk/client-iam"
import { Sandbox } from "@federate/sandbox"

/** What the service calls itself in assertions. */
const audience = "https://api.openai.com/v1"

export const sandboxed = async () => {
  const sandbox = await Sandbox.start({ setup: "empty" })
  const { admin, region, workload } = sandbox.aws
  const distrust = sandbox.trust()
  // AWS's half: the account may issue JWTs, and the Lambda's role may ask for one.
  const iam = new IAMClient({ region, endpoint: sandbox.http, credentials: admin })
  const { IssuerIdentifier: issuer = "" } = await iam.send(
    new EnableOutboundWebIdentityFederationCommand({})
  )
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: workload.roleName,
      PolicyName: "federate",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Action: "sts:GetWebIdentityToken", Resource: "*" }
      })
    })
  )
  // The service's half: an identity provider, and a mapping of the role to a service account.
  sandbox.trustAssertion({ issuer, subject: workload.roleArn, audience })
  const { parameters, tokenEndpoint, url } = sandbox.services.openai
  return {
    sandbox,
    env: {
      ...sandbox.env,
      OPENAI_IDENTITY_PROVIDER_ID: parameters["identity_provider_id"],
      OPENAI_SERVICE_ACCOUNT_ID: parameters["service_account_id"],
      OPENAI_AUDIENCE: audience,
      OPENAI_TOKEN_URL: tokenEndpoint,
      OPENAI_BASE_URL: `${url}/v1`
    },
    [Symbol.asyncDispose]: async () => {
      distrust()
      await sandbox[Symbol.asyncDispose]()
    }
  }
}
