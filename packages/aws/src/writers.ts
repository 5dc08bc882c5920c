/** AWS's half of a trust, as code: of whoever federates into AWS, and of AWS's workloads that federate elsewhere. */
import { side, tagsOf, writers as ofAnyWorkload } from "@federate/aws-sdk/trust"
import type { Writer } from "@federate/trust"

const oidcProvider: Writer = {
  side,
  kind: "OIDC provider",
  note: "An account has one OIDC provider for an issuer: where one is there already, import it or leave this one out, and add the audience to it.",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "aws_iam_openid_connect_provider",
      body: { url: state["url"], client_id_list: state["clientIds"], tags: state["tags"] },
      makes: { oidcProviderArn: "this.arn", oidcProvider: 'replace(this.url, "https://", "")' }
    }),
    cloudformation: ({ state }) => ({
      type: "AWS::IAM::OIDCProvider",
      properties: { Url: state["url"], ClientIdList: state["clientIds"], Tags: tagsOf(state) },
      makes: { oidcProviderArn: "${this}", oidcProvider: "${this#:oidc-provider/}" }
    }),
    "aws-cli": ({ of, state, text }) => [
      {
        sets: "oidcProviderArn",
        argv: [
          "aws",
          "iam",
          "create-open-id-connect-provider",
          "--url",
          text("url"),
          "--client-id-list",
          of("azp"),
          "--tags",
          JSON.stringify(tagsOf(state)),
          "--query",
          "OpenIDConnectProviderArn",
          "--output",
          "text"
        ]
      },
      { sets: "oidcProvider", cut: "oidcProviderArn", by: { after: ":oidc-provider/" } }
    ]
  }
}

/** A new provider has it from the start. */
const clientId: Writer = {
  side,
  kind: "OIDC client id",
  in: {
    terraform: () => ({ makes: {} }),
    cloudformation: () => ({ makes: {} }),
    "aws-cli": () => []
  }
}

const role: Writer = {
  side,
  kind: "role",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "aws_iam_role",
      body: {
        name: state["name"],
        path: state["path"],
        assume_role_policy: { json: state["trustPolicy"] },
        ...(state["maxSessionDuration"] !== undefined && {
          max_session_duration: state["maxSessionDuration"]
        }),
        tags: state["tags"]
      },
      makes: { roleArn: "this.arn" }
    }),
    cloudformation: ({ state }) => ({
      type: "AWS::IAM::Role",
      properties: {
        RoleName: state["name"],
        Path: state["path"],
        AssumeRolePolicyDocument: state["trustPolicy"],
        ...(state["maxSessionDuration"] !== undefined && {
          MaxSessionDuration: state["maxSessionDuration"]
        }),
        Tags: tagsOf(state)
      },
      makes: { roleArn: "${this.Arn}" }
    }),
    "aws-cli": ({ state, text }) => [
      {
        sets: "roleArn",
        argv: [
          "aws",
          "iam",
          "create-role",
          "--role-name",
          text("name"),
          "--path",
          text("path"),
          "--assume-role-policy-document",
          JSON.stringify(state["trustPolicy"]),
          ...(state["maxSessionDuration"] === undefined
            ? []
            : ["--max-session-duration", `${state["maxSessionDuration"]}`]),
          "--tags",
          JSON.stringify(tagsOf(state)),
          "--query",
          "Role.Arn",
          "--output",
          "text"
        ]
      }
    ]
  }
}

const attachedPolicy: Writer = {
  side,
  kind: "attached policy",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "aws_iam_role_policy_attachment",
      body: { role: state["role"], policy_arn: state["policyArn"] },
      makes: {},
      after: ["roleArn"]
    }),
    cloudformation: ({ state }) => ({
      addsTo: "roleArn",
      properties: { ManagedPolicyArns: [state["policyArn"]] },
      makes: {}
    }),
    "aws-cli": ({ text }) => [
      {
        argv: [
          "aws",
          "iam",
          "attach-role-policy",
          "--role-name",
          text("role"),
          "--policy-arn",
          text("policyArn")
        ]
      }
    ]
  }
}

/** The subject of its tokens is the role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html */
const outboundFederation: Writer = {
  side,
  kind: "outbound federation",
  note: "Outbound web identity federation is a setting of the whole account: to take it down again turns it off for everybody.",
  in: {
    terraform: ({ of }) => ({
      block: "resource",
      type: "aws_iam_outbound_web_identity_federation",
      body: {},
      makes: { iss: "this.issuer_identifier", sub: of("workloadRoleArn") }
    }),
    "aws-cli": ({ of }) => {
      const issuer = ["--query", "IssuerIdentifier", "--output", "text"]
      return [
        {
          sets: "iss",
          // It refuses what is on already.
          argv: ["aws", "iam", "enable-outbound-web-identity-federation", ...issuer],
          or: ["aws", "iam", "get-outbound-web-identity-federation-info", ...issuer]
        },
        { sets: "sub", text: of("workloadRoleArn") }
      ]
    }
  }
}

export const writers: ReadonlyArray<Writer> = [
  oidcProvider,
  clientId,
  role,
  attachedPolicy,
  outboundFederation,
  ...ofAnyWorkload
]
