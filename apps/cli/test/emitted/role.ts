// The trust of the flow "deploy", as `federate trust emit deploy --as cdk` writes it.
// It is compiled and synthesized by federate's tests; nothing there could deploy it.
// An account has one OIDC provider for an issuer: where one is there already, import it or leave this one out, and add the audience to it.
import { CfnOutput, CfnParameter, Fn, Stack } from "aws-cdk-lib"
import type { StackProps } from "aws-cdk-lib"
import * as iam from "aws-cdk-lib/aws-iam"
import type { Construct } from "constructs"

export class TrustStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)

    const iss = new CfnParameter(this, "Iss", {
      type: "String",
      description: "The assertion's issuer (iss). It is known once the workload has its first one: `federate inspect` shows it of a token; a flow of the source alone, without the exchanger of \"deploy\", hands one out"
    })

    const azp = new CfnParameter(this, "Azp", {
      type: "String",
      description: "The assertion's authorized party, or where it has none its audience (azp). It is known once the workload has its first one: `federate inspect` shows it of a token; a flow of the source alone, without the exchanger of \"deploy\", hands one out",
      default: "sts.amazonaws.com"
    })

    const sub = new CfnParameter(this, "Sub", {
      type: "String",
      description: "The assertion's subject (sub). It is known once the workload has its first one: `federate inspect` shows it of a token; a flow of the source alone, without the exchanger of \"deploy\", hands one out"
    })

    const oidcProvider = new iam.CfnOIDCProvider(this, "OidcProvider", {
      url: iss.valueAsString,
      clientIdList: [azp.valueAsString],
      tags: [{
        key: "federate",
        value: "deploy"
      }]
    })

    const role = new iam.CfnRole(this, "Role", {
      roleName: "federate-deploy",
      path: "/",
      assumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"${oidcProvider.ref}"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"${Fn.select(1, Fn.split(":oidc-provider/", oidcProvider.ref))}:aud":"${azp.valueAsString}","${Fn.select(1, Fn.split(":oidc-provider/", oidcProvider.ref))}:sub":"${sub.valueAsString}"}}}}`,
      maxSessionDuration: 7200,
      tags: [{
        key: "federate",
        value: "deploy"
      }],
      managedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess"]
    })

    new CfnOutput(this, "RoleArn", { value: role.attrArn })
  }
}
