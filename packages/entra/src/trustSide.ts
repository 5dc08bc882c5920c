/** Entra's half of a trust: an app, its service principal, the federated credential, and the app roles that it is granted. */
import type { Platform } from "@federate/http"
import type { Part, TrustSide } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cloudOf, clouds } from "./clouds.ts"
import type { Cloud } from "./clouds.ts"
import type { Options } from "./exchanger.ts"
import {
  application,
  appRole,
  appRoleAssignment,
  federatedCredential,
  inConfiguration,
  servicePrincipal,
  tenant
} from "./trustParts.ts"
import type { Role } from "./trustParts.ts"
import { graphAppId, graphScope, isGraph, makeGraph } from "./graph.ts"

const names = Schema.Struct({
  application: Schema.optionalKey(
    Schema.String.annotate({
      description: "The app's display name; federate-<flow> without it",
      examples: ["federate-graph"]
    }).check(Schema.isMinLength(1), Schema.isMaxLength(120))
  ),
  credential: Schema.optionalKey(
    Schema.String.annotate({
      description: "The federated credential's name; federate-<flow> without it"
    }).check(
      Schema.isPattern(/^[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}$/, {
        expected: "3 to 120 letters, digits, dashes and underscores"
      })
    )
  ),
  appRoles: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description:
        "App roles that it is granted, by name: Microsoft Graph's, or <resource>/<role> for another's; none without it",
      examples: [["Application.Read.All"]]
    })
  )
})

type Config = Pick<Options, "tenantId" | "cloud" | "authorityHost" | "audience" | "scopes">

/**
 * Ids by name: `tenantId`, `clientId`, `applicationId` and `servicePrincipalId` (object ids); of each app role
 * `resourceId/<resource>` and `appRoleId/<resource>/<role>`, where Microsoft Graph is called by its client id.
 *
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
 */
export const exchangerSide: TrustSide<typeof names, typeof names.Type, Config, Platform> = {
  type: "entra",
  names,
  provides: ["tenantId", "clientId"],
  parts: Effect.fnUntraced(function* (config, chosen, { assertion, flow, platform, token }) {
    const { appRoles = [] } = chosen
    const usual = `federate-${flow.replace(/[^\w-]/g, "-")}`
    const { application: displayName = usual, credential = usual } = chosen
    const graph = yield* inConfiguration(makeGraph(config, platform, `app ${displayName}`))
    const directory = { graph, token: token(graphScope), mark: `federate:${flow}`, flow }
    const roles = [...new Set(appRoles)].map(roleOf)
    const { audience, authorityHost, cloud } = config
    const own: Cloud =
      authorityHost === undefined
        ? clouds[cloud ?? "public"]
        : (cloudOf(authorityHost) ?? clouds.public)
    return [
      tenant(directory, config.tenantId),
      ...roles.map((role) => appRole(directory, role)),
      application(directory, displayName),
      servicePrincipal(directory, displayName),
      assertion(() => ({
        ...(own.audience !== undefined && { preferredAudience: own.audience }),
        ...(audience !== undefined && { audience })
      })),
      federatedCredential(directory, credential),
      ...roles.map((role) => appRoleAssignment(directory, role, config.scopes))
    ] satisfies ReadonlyArray<Part>
  })
}

/** `Application.Read.All` is Microsoft Graph's; `api://orders/Orders.Read` another's. */
const roleOf = (written: string): Role => {
  const at = written.lastIndexOf("/")
  const resource = written.slice(0, Math.max(0, at))
  return {
    resource: resource === "" || isGraph(resource) ? graphAppId : resource,
    role: written.slice(at + 1)
  }
}
