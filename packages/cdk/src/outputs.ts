/** What the other half of a trust must name, to the letter. */
import { CfnOutput } from "aws-cdk-lib"
import type { Construct } from "constructs"

export interface Named {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
}

/** Shown at the end of a deployment, as `…Issuer…`, `…Subject…` and `…Audience…`. */
export const outputs = (scope: Construct, { audience, issuer, subject }: Named): void => {
  new CfnOutput(scope, "Issuer", { value: issuer, description: "The issuer (iss) of the trust" })
  new CfnOutput(scope, "Subject", {
    value: subject,
    description: "The subject (sub) of the trust"
  })
  new CfnOutput(scope, "Audience", {
    value: audience,
    description: "The audience (aud) of the trust"
  })
}
