// The trust of the flow "graph", as `federate trust emit graph --as cdk` writes it.
// It is compiled and synthesized by federate's tests; nothing there could deploy it.
// Not in it, as cdk cannot say it: Microsoft Entra's application "federate-graph"
//   and Microsoft Entra's service principal "federate-graph"
//   and Microsoft Entra's federated credential "federate-graph"
//   and Microsoft Entra's app role assignment "Application.Read.All"
// These can: --as terraform, --as az.
import { Aws, CfnOutput, Stack } from "aws-cdk-lib"
import type { StackProps } from "aws-cdk-lib"
import * as cognito from "aws-cdk-lib/aws-cognito"
import * as iam from "aws-cdk-lib/aws-iam"
import type { Construct } from "constructs"

export class TrustStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)

    const identityPool = new cognito.CfnIdentityPool(this, "IdentityPool", {
      identityPoolName: "federate-graph",
      developerProviderName: "my.dev.provider",
      allowUnauthenticatedIdentities: false,
      identityPoolTags: [{
        key: "federate",
        value: "graph"
      }]
    })

    new iam.CfnRolePolicy(this, "RolePolicy", {
      policyName: "federate-graph",
      roleName: "reader",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{
          Sid: "Federategraph",
          Effect: "Allow",
          Action: ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:GetId"],
          Resource: `arn:${Aws.PARTITION}:cognito-identity:${Aws.REGION}:${Aws.ACCOUNT_ID}:identitypool/${identityPool.ref}`
        }]
      }
    })

    new CfnOutput(this, "IdentityPoolId", { value: identityPool.ref })

    new CfnOutput(this, "Iss", { value: "https://cognito-identity.amazonaws.com" })

    new CfnOutput(this, "Aud", { value: identityPool.ref })
  }
}
