/** Google's half of a trust, as code. */
import type { Writer, Written } from "@federate/trust"

const side = "Google Cloud"

const project: Writer = {
  side,
  kind: "project",
  in: {
    terraform: ({ name }) => ({
      block: "data",
      type: "google_project",
      body: { project_id: name },
      makes: { projectId: "this.project_id", projectNumber: "this.number" }
    }),
    gcloud: ({ name }) =>
      ["projectId", "projectNumber"].map((sets) => ({
        sets,
        argv: ["gcloud", "projects", "describe", name, "--format", `value(${sets})`]
      }))
  }
}

const pool: Writer = {
  side,
  kind: "pool",
  note: "A pool or provider that was deleted keeps its name for 30 days: one of that name has to be undeleted and imported.",
  in: {
    terraform: ({ name, of, state }) => ({
      block: "resource",
      type: "google_iam_workload_identity_pool",
      body: {
        project: of("projectId"),
        workload_identity_pool_id: name,
        description: state["description"],
        disabled: state["disabled"]
      },
      makes: { pool: "this.workload_identity_pool_id" }
    }),
    gcloud: ({ name, of, text }) => [
      {
        argv: [
          "gcloud",
          "iam",
          "workload-identity-pools",
          "create",
          name,
          "--project",
          of("projectId"),
          "--location",
          "global",
          "--description",
          text("description")
        ]
      },
      { sets: "pool", text: name }
    ]
  }
}

/** What is in a part of the state that has parts of its own. */
const within = ({ state }: Written, member: string): Readonly<Record<string, unknown>> => {
  const value = state[member]
  return typeof value === "object" && value !== null ? { ...value } : {}
}

const provider: Writer = {
  side,
  kind: "provider",
  in: {
    terraform: (part) => ({
      block: "resource",
      type: "google_iam_workload_identity_pool_provider",
      body: {
        project: part.of("projectId"),
        workload_identity_pool_id: part.of("pool"),
        workload_identity_pool_provider_id: part.name,
        description: part.state["description"],
        disabled: part.state["disabled"],
        attribute_mapping: part.state["attributeMapping"],
        attribute_condition: part.state["attributeCondition"],
        oidc: {
          block: {
            issuer_uri: within(part, "oidc")["issuerUri"],
            allowed_audiences: within(part, "oidc")["allowedAudiences"]
          }
        }
      },
      makes: { audience: '"//iam.googleapis.com/${this.name}"' }
    }),
    gcloud: (part) => [
      {
        argv: [
          "gcloud",
          "iam",
          "workload-identity-pools",
          "providers",
          "create-oidc",
          part.name,
          "--project",
          part.of("projectId"),
          "--location",
          "global",
          "--workload-identity-pool",
          part.of("pool"),
          "--issuer-uri",
          `${within(part, "oidc")["issuerUri"]}`,
          "--allowed-audiences",
          `${within(part, "oidc")["allowedAudiences"]}`,
          "--attribute-mapping",
          Object.entries(within(part, "attributeMapping"))
            .map(([attribute, expression]) => `${attribute}=${expression}`)
            .join(),
          "--attribute-condition",
          part.text("attributeCondition"),
          "--description",
          part.text("description")
        ]
      },
      {
        sets: "audience",
        text: `//iam.googleapis.com/projects/${part.of("projectNumber")}/locations/global/workloadIdentityPools/${part.of("pool")}/providers/${part.name}`
      }
    ]
  }
}

/** By its id, and whose it is: where its e-mail is given, that tells. */
const accountOf = ({ name, of }: Written) => {
  const [id = "", holder = of("projectId")] = name.split(/[@.]/)
  return { id, holder }
}

const serviceAccount: Writer = {
  side,
  kind: "service account",
  in: {
    terraform: (part) => ({
      block: "resource",
      type: "google_service_account",
      body: {
        project: accountOf(part).holder,
        account_id: accountOf(part).id,
        display_name: accountOf(part).id,
        description: part.state["description"],
        create_ignore_already_exists: true
      },
      makes: { serviceAccount: "this.email" }
    }),
    gcloud: (part) => {
      const { id, holder } = accountOf(part)
      return [
        {
          argv: [
            "gcloud",
            "iam",
            "service-accounts",
            "create",
            id,
            "--project",
            holder,
            "--display-name",
            id,
            "--description",
            part.text("description")
          ]
        },
        { sets: "serviceAccount", text: `${id}@${holder}.iam.gserviceaccount.com` }
      ]
    }
  }
}

const ofAccount = "projects/-/serviceAccounts/"

const binding: Writer = {
  side,
  kind: "policy binding",
  in: {
    terraform: ({ of, state, text }) => ({
      block: "resource",
      ...(text("resource").startsWith(ofAccount)
        ? {
            type: "google_service_account_iam_member",
            body: {
              service_account_id: state["resource"],
              role: state["role"],
              member: state["member"]
            }
          }
        : {
            type: "google_project_iam_member",
            body: { project: of("projectId"), role: state["role"], member: state["member"] }
          }),
      makes: {},
      after: ["audience", "serviceAccount"]
    }),
    gcloud: ({ of, text }) => [
      {
        argv: [
          ...(text("resource").startsWith(ofAccount)
            ? ["gcloud", "iam", "service-accounts", "add-iam-policy-binding", text("resource")]
            : ["gcloud", "projects", "add-iam-policy-binding", of("projectId")]),
          "--role",
          text("role"),
          "--member",
          text("member"),
          // Without it, it asks where the policy has conditions for others.
          "--condition",
          "None"
        ]
      }
    ]
  }
}

export const writers: ReadonlyArray<Writer> = [project, pool, provider, serviceAccount, binding]
