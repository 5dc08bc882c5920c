/** An identity of an Amazon Cognito identity pool, for a workload whose role signs for it: what others can trust. */
import { Annotations, ArnFormat, Stack, Token } from "aws-cdk-lib"
import * as cognito from "aws-cdk-lib/aws-cognito"
import * as iam from "aws-cdk-lib/aws-iam"
import * as custom from "aws-cdk-lib/custom-resources"
import { Construct } from "constructs"
import { outputs } from "./outputs.ts"

export interface DeveloperIdentityProps {
  /** The pool's developer provider, such as `my.dev.provider`: 1 to 100 of letters, digits, `.`, `_` and `-`. AWS lets nobody change it later. */
  readonly developerProviderName: string
  /** The workload's own name, at most 1024 characters. The same one is the same subject for ever: no host name, nothing that is made anew. */
  readonly userId: string
  /** Default: one that CDK makes up. */
  readonly identityPoolName?: string
}

/**
 * An identity pool of one identity, without guests: one pool for each trust boundary, because whoever may mint for a pool may
 * mint for any user id of it
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/developer-authenticated-identities.html).
 *
 * The identity is made when it is deployed, so that its id, the subject, is known before the workload's first call.
 *
 * @example
 * ```ts
 * const identity = new DeveloperIdentity(this, "Identity", {
 *   developerProviderName: "my.dev.provider",
 *   userId: "my_user_id"
 * })
 * identity.grant(handler)
 * ```
 */
export class DeveloperIdentity extends Construct {
  readonly identityPoolId: string
  readonly identityPoolArn: string
  /** Shared by all of AWS's customers: a trust must name audience and subject, too. */
  readonly issuer = "https://cognito-identity.amazonaws.com"
  /** The pool's id; there is no other. */
  readonly audience: string
  /** The identity's id. */
  readonly subject: string

  /** @throws Error when a name is not what AWS takes */
  constructor(scope: Construct, id: string, props: DeveloperIdentityProps) {
    super(scope, id)
    const { developerProviderName, identityPoolName, userId } = props
    check("developerProviderName", developerProviderName, /^[\w.-]{1,100}$/)
    check("userId", userId, /^.{1,1024}$/s)
    const stack = Stack.of(this)
    if (/^(?:cn|us-gov|us-iso\w*|eu-isoe|eusc)-/.test(stack.region)) {
      Annotations.of(this).addWarningV2(
        "@federate/cdk:issuer",
        `In ${stack.region} the issuer is another than ${this.issuer}: read it from a token (\`federate inspect\`).`
      )
    }

    const pool = new cognito.CfnIdentityPool(this, "Pool", {
      ...(identityPoolName !== undefined && { identityPoolName }),
      allowUnauthenticatedIdentities: false,
      developerProviderName
    })
    this.identityPoolId = pool.ref
    this.identityPoolArn = stack.formatArn({
      service: "cognito-identity",
      resource: "identitypool",
      resourceName: pool.ref,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME
    })
    this.audience = pool.ref

    const call: custom.AwsSdkCall = {
      service: "cognito-identity",
      action: "GetOpenIdTokenForDeveloperIdentity",
      parameters: {
        IdentityPoolId: pool.ref,
        Logins: { [developerProviderName]: userId },
        // Nobody wants this token: it ends at once, is not kept, and is in no log.
        TokenDuration: 1
      },
      outputPaths: ["IdentityId"],
      physicalResourceId: custom.PhysicalResourceId.fromResponse("IdentityId"),
      logging: custom.Logging.withDataHidden()
    }
    const identity = new custom.AwsCustomResource(this, "Identity", {
      resourceType: "Custom::DeveloperIdentity",
      onCreate: call,
      onUpdate: call,
      installLatestAwsSdk: false,
      policy: custom.AwsCustomResourcePolicy.fromStatements([this.statement()])
    })
    this.subject = identity.getResponseField("IdentityId")
    outputs(this, this)
  }

  /** Lets a workload's role ask for tokens of the identity: two actions, on this pool alone. */
  grant(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [this.identityPoolArn] })
  }

  private statement(): iam.PolicyStatement {
    return new iam.PolicyStatement({ actions, resources: [this.identityPoolArn] })
  }
}

const actions = ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:GetId"]

const check = (name: string, value: string, pattern: RegExp): void => {
  if (!Token.isUnresolved(value) && !pattern.test(value)) {
    throw new Error(`${name}: ${JSON.stringify(value)} is not taken by Amazon Cognito: ${pattern}`)
  }
}
