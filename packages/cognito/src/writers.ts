/** Amazon Cognito's half of a trust, as code. */
import type { State, Writer, Written } from "@federate/trust"

const text = (state: State, member: string): string => {
  const value = state[member]
  return typeof value === "string" ? value : ""
}

/** What tokens of AWS's own partition say; elsewhere one is to be looked at. */
const issuer = "https://cognito-identity.amazonaws.com"

const side = "AWS"

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
        IdentityPoolTags: Object.entries(tagsOf(state)).map(([Key, Value]) => ({ Key, Value }))
      },
      makes: {
        identityPoolId: "${this}",
        identityPoolArn:
          "arn:${AWS::Partition}:cognito-identity:${AWS::Region}:${AWS::AccountId}:identitypool/${this}",
        iss: issuer,
        aud: "${this}"
      }
    }),
    "aws-cli": ({ of, state }) => [
      {
        sets: "identityPoolId",
        argv: [
          "aws",
          "cognito-identity",
          "create-identity-pool",
          "--identity-pool-name",
          text(state, "identityPoolName"),
          "--developer-provider-name",
          text(state, "developerProviderName"),
          "--no-allow-unauthenticated-identities",
          "--identity-pool-tags",
          JSON.stringify(tagsOf(state)),
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
      { sets: "partition", cut: "callerArn", field: 2 },
      { sets: "account", cut: "callerArn", field: 5 },
      { sets: "region", cut: "identityPoolId", field: 1 },
      {
        sets: "identityPoolArn",
        text: `arn:${of("partition")}:cognito-identity:${of("region")}:${of("account")}:identitypool/${of("identityPoolId")}`
      },
      { sets: "iss", text: issuer },
      { sets: "aud", text: of("identityPoolId") }
    ]
  }
}

/** Of texts alone, as the state has it. */
const tagsOf = ({ tags }: State): Readonly<Record<string, unknown>> =>
  typeof tags === "object" && tags !== null ? { ...tags } : {}

const rolePolicy: Writer = {
  side,
  kind: "role policy",
  in: {
    terraform: ({ name, state }) => ({
      block: "resource",
      type: "aws_iam_role_policy",
      body: { name, role: state["role"], policy: { json: state["document"] } },
      makes: {}
    }),
    cloudformation: ({ name, state }) => ({
      type: "AWS::IAM::RolePolicy",
      properties: { PolicyName: name, RoleName: state["role"], PolicyDocument: state["document"] },
      makes: {}
    }),
    "aws-cli": ({ name, state }: Written) => [
      {
        argv: [
          "aws",
          "iam",
          "put-role-policy",
          "--role-name",
          text(state, "role"),
          "--policy-name",
          name,
          "--policy-document",
          JSON.stringify(state["document"])
        ]
      }
    ]
  }
}

export const writers: ReadonlyArray<Writer> = [identityPool, rolePolicy]
