/** A config file with a flow of each kind, over the first journey's sandbox. */
import {
  CognitoIdentityClient,
  SetIdentityPoolRolesCommand
} from "@aws-sdk/client-cognito-identity"
import type { Sandbox } from "@federate/sandbox"

const pool = 'identityPoolId: "${COGNITO_IDENTITY_POOL_ID}"'
const source = `source: { type: cognito, ${pool}, logins: { my.dev.provider: my_user_id } }`

/** `graph` issues access tokens, `keys` AWS credentials, and `workload` hands out its assertion. */
export const flows = `flows:
  graph:
    ${source}
    exchanger:
      type: entra
      tenantId: \${AZURE_TENANT_ID}
      clientId: \${AZURE_CLIENT_ID}
      authorityHost: \${AZURE_AUTHORITY_HOST}
      scopes: [https://graph.microsoft.com/.default]
  keys:
    ${source}
    exchanger: { type: cognito, ${pool} }
  workload:
    ${source}
`

/** Gives the pool a role for who comes with its tokens: without it there are no AWS credentials. */
export const allowKeys = async ({ aws, env, http }: Sandbox.Sandbox): Promise<void> => {
  await new CognitoIdentityClient({
    endpoint: http,
    region: aws.region,
    credentials: aws.admin
  }).send(
    new SetIdentityPoolRolesCommand({
      IdentityPoolId: env["COGNITO_IDENTITY_POOL_ID"],
      Roles: { authenticated: aws.workload.roleArn }
    })
  )
}

/** The claims of a JWT. */
export const claims = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())
