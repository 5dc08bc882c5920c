/** AWS's half: the function, and the identity that it asks for. */
import { fileURLToPath } from "node:url"
import { DeveloperIdentity } from "@federate/cdk"
import { CfnOutput, CfnParameter, Duration, Stack } from "aws-cdk-lib"
import type { StackProps } from "aws-cdk-lib"
import * as lambda from "aws-cdk-lib/aws-lambda"
import type { Construct } from "constructs"

export class LambdaToGraph extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)
    // Ids, and no secrets: whoever knows them gets nothing.
    const [tenantId, clientId] = ["TenantId", "ClientId"].map((name) => {
      const { valueAsString } = new CfnParameter(this, name, { description: "Microsoft Entra's" })
      return valueAsString
    }) as [string, string]

    const identity = new DeveloperIdentity(this, "Identity", {
      developerProviderName: "my.dev.provider",
      userId: "my_user_id"
    })
    const handler = new lambda.Function(this, "Function", {
      code: lambda.Code.fromAsset(fileURLToPath(new URL("../dist", import.meta.url))),
      handler: "handler.handler",
      runtime: lambda.Runtime.NODEJS_22_X,
      memorySize: 512,
      // Above the half minute that the flow tries for.
      timeout: Duration.minutes(1),
      environment: {
        COGNITO_IDENTITY_POOL_ID: identity.identityPoolId,
        AZURE_TENANT_ID: tenantId,
        AZURE_CLIENT_ID: clientId
      }
    })
    identity.grant(handler)
    new CfnOutput(this, "FunctionName", { value: handler.functionName })
  }
}
