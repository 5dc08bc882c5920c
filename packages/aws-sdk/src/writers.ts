/** What is written as code of any workload of AWS's: its role, and what that may do. */
import type { State, Writer } from "@federate/trust"

/** As AWS's name is told: of whichever adapter a part is. */
export const side = "AWS"

/** A state's tags as CloudFormation and the AWS CLI mostly have them. */
export const tagsOf = ({ tags }: State): ReadonlyArray<State> =>
  Object.entries(typeof tags === "object" && tags !== null ? tags : {}).map(([Key, Value]) => ({
    Key,
    Value
  }))

/** It must be there. */
const workloadRole: Writer = {
  side,
  kind: "workload role",
  in: {
    terraform: ({ name }) => ({
      block: "data",
      type: "aws_iam_role",
      body: { name },
      makes: { workloadRoleArn: "this.arn" }
    }),
    "aws-cli": ({ name }) => [
      {
        sets: "workloadRoleArn",
        argv: [
          "aws",
          "iam",
          "get-role",
          "--role-name",
          name,
          "--query",
          "Role.Arn",
          "--output",
          "text"
        ]
      }
    ]
  }
}

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
    "aws-cli": ({ name, state, text }) => [
      {
        argv: [
          "aws",
          "iam",
          "put-role-policy",
          "--role-name",
          text("role"),
          "--policy-name",
          name,
          "--policy-document",
          JSON.stringify(state["document"])
        ]
      }
    ]
  }
}

export const writers: ReadonlyArray<Writer> = [workloadRole, rolePolicy]
