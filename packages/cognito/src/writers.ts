/** Amazon Cognito's half of a trust, as code. */
import { side, tagsOf, writers as ofAnyWorkload } from "@federate/aws-sdk/trust"
import type { Writer } from "@federate/trust"

/** What tokens of AWS's own partition say; elsewhere one is to be looked at. */
const issuer = "https://cognito-identity.amazonaws.com"

/** Two of the assertion's claims are known by the pool; the third is its identity's id, which comes with a first token. */
const identityPool: Writer = {
  side,
  kind: "identity pool",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "aws_cognito_identity_pool",
      body: {
        identity_pool_name: state["identityPoolName"],
        developer_provider_name: state["developerProviderName"],
        allow_unauthenticated_identities: state["allowUnauthenticatedIdentities"],
        tags: state["tags"]
      },
      makes: {
        identityPoolId: "this.id",
        identityPoolArn: "this.arn",
        iss: JSON.stringify(issuer),
        aud: "this.id"
      }
    }),
    cloudformation: ({ state }) => ({
      type: "AWS::Cognito::IdentityPool",
      properties: {
        IdentityPoolName: state["identityPoolName"],
        DeveloperProviderName: state["developerProviderName"],
        AllowUnauthenticatedIdentities: state["allowUnauthenticatedIdentities"],
        IdentityPoolTags: tagsOf(state)
      },
      makes: {
        identityPoolId: "${this}",
        identityPoolArn:
          "arn:${AWS::Partition}:cognito-identity:${AWS::Region}:${AWS::AccountId}:identitypool/${this}",
        iss: issuer,
        aud: "${this}"
      }
    }),
    "aws-cli": ({ of, state, text }) => [
      {
        sets: "identityPoolId",
        argv: [
          "aws",
          "cognito-identity",
          "create-identity-pool",
          "--identity-pool-name",
          text("identityPoolName"),
          "--developer-provider-name",
          text("developerProviderName"),
          "--no-allow-unauthenticated-identities",
          "--identity-pool-tags",
          JSON.stringify(state["tags"]),
          "--query",
          "IdentityPoolId",
          "--output",
          "text"
        ]
      },
      {
        sets: "callerArn",
        argv: ["aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]
      },
      { sets: "partition", cut: "callerArn", by: { field: 2 } },
      { sets: "account", cut: "callerArn", by: { field: 5 } },
      { sets: "region", cut: "identityPoolId", by: { field: 1 } },
      {
        sets: "identityPoolArn",
        text: `arn:${of("partition")}:cognito-identity:${of("region")}:${of("account")}:identitypool/${of("identityPoolId")}`
      },
      { sets: "iss", text: issuer },
      { sets: "aud", text: of("identityPoolId") }
    ]
  }
}

export const writers: ReadonlyArray<Writer> = [identityPool, ...ofAnyWorkload]
