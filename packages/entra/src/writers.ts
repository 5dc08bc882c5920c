/** Entra's half of a trust, as code. */
import type { Writer, Written } from "@federate/trust"

const side = "Microsoft Entra"

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The resource whose role it is, by the names that it makes. */
const roleOf = ({ makes, name }: Written) => {
  const [resourceId = "", appRoleId = ""] = makes
  return { resource: resourceId.replace(/^resourceId\//, ""), resourceId, appRoleId, role: name }
}

/** Looked up by its name: nobody remembers ids. */
const appRole: Writer = {
  side,
  kind: "app role",
  in: {
    terraform: (part) => {
      const { appRoleId, resource, resourceId, role } = roleOf(part)
      // By a client id alone it finds one.
      return guid.test(resource)
        ? {
            block: "data",
            type: "azuread_service_principal",
            body: { client_id: resource },
            makes: {
              [resourceId]: "this.object_id",
              [appRoleId]: `this.app_role_ids[${JSON.stringify(role)}]`
            }
          }
        : undefined
    },
    az: (part) => {
      const { appRoleId, resource, resourceId, role } = roleOf(part)
      const shown = (query: string) => [
        "az",
        "ad",
        "sp",
        "show",
        "--id",
        resource,
        "--query",
        query,
        "--output",
        "tsv"
      ]
      return [
        { sets: resourceId, argv: shown("id") },
        { sets: appRoleId, argv: shown(`appRoles[?value=='${role}'].id | [0]`) }
      ]
    }
  }
}

const application: Writer = {
  side,
  kind: "application",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "azuread_application",
      body: {
        display_name: state["displayName"],
        sign_in_audience: state["signInAudience"],
        tags: state["tags"]
      },
      makes: { clientId: "this.client_id", applicationId: "this.id" }
    }),
    az: ({ of, state, text }) => [
      {
        sets: "clientId",
        argv: [
          "az",
          "ad",
          "app",
          "create",
          "--display-name",
          text("displayName"),
          "--sign-in-audience",
          text("signInAudience"),
          "--query",
          "appId",
          "--output",
          "tsv"
        ]
      },
      {
        argv: [
          "az",
          "ad",
          "app",
          "update",
          "--id",
          of("clientId"),
          "--set",
          `tags=${JSON.stringify(state["tags"])}`
        ]
      }
    ]
  }
}

const servicePrincipal: Writer = {
  side,
  kind: "service principal",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "azuread_service_principal",
      body: {
        client_id: state["appId"],
        account_enabled: state["accountEnabled"],
        tags: state["tags"]
      },
      makes: { servicePrincipalId: "this.object_id" }
    }),
    az: ({ of, state, text }) => [
      {
        sets: "servicePrincipalId",
        argv: [
          "az",
          "ad",
          "sp",
          "create",
          "--id",
          text("appId"),
          "--query",
          "id",
          "--output",
          "tsv"
        ]
      },
      {
        argv: [
          "az",
          "ad",
          "sp",
          "update",
          "--id",
          of("servicePrincipalId"),
          "--set",
          `tags=${JSON.stringify(state["tags"])}`
        ]
      }
    ]
  }
}

const federatedCredential: Writer = {
  side,
  kind: "federated credential",
  in: {
    terraform: ({ of, state }) => ({
      block: "resource",
      type: "azuread_application_federated_identity_credential",
      body: {
        application_id: of("applicationId"),
        display_name: state["name"],
        description: state["description"],
        issuer: state["issuer"],
        subject: state["subject"],
        audiences: state["audiences"]
      },
      makes: {}
    }),
    az: ({ of, state }) => [
      {
        argv: [
          "az",
          "ad",
          "app",
          "federated-credential",
          "create",
          "--id",
          of("clientId"),
          "--parameters",
          JSON.stringify(state)
        ]
      }
    ]
  }
}

const appRoleAssignment: Writer = {
  side,
  kind: "app role assignment",
  in: {
    terraform: ({ state }) => ({
      block: "resource",
      type: "azuread_app_role_assignment",
      body: {
        app_role_id: state["appRoleId"],
        principal_object_id: state["principalId"],
        resource_object_id: state["resourceId"]
      },
      makes: {}
    }),
    az: ({ of, state, text }) => [
      // Of the cloud that is signed in to; it ends in a slash.
      {
        sets: "graph",
        argv: [
          "az",
          "cloud",
          "show",
          "--query",
          "endpoints.microsoftGraphResourceId",
          "--output",
          "tsv"
        ]
      },
      {
        argv: [
          "az",
          "rest",
          "--method",
          "POST",
          "--url",
          `${of("graph")}v1.0/servicePrincipals/${text("resourceId")}/appRoleAssignedTo`,
          "--body",
          JSON.stringify(state)
        ]
      }
    ]
  }
}

export const writers: ReadonlyArray<Writer> = [
  appRole,
  application,
  servicePrincipal,
  federatedCredential,
  appRoleAssignment
]
