/** The Entra tenant: applications, service principals, federated credentials and granted app roles. */
import { randomUUID } from "node:crypto"

/** An application permission that a resource offers. */
export interface AppRole {
  readonly id: string
  /** What stands in a token's `roles`: `Application.Read.All`. */
  readonly value: string
  readonly displayName: string
  readonly description: string
  readonly allowedMemberTypes: ReadonlyArray<string>
  readonly isEnabled: boolean
}

/** A permission of a resource's that users delegate (https://learn.microsoft.com/graph/api/resources/permissionscope). */
interface PermissionScope {
  readonly id: string
  /** What stands in a token's `scp`: `User.Read`. */
  readonly value: string
  readonly type: "User"
  readonly isEnabled: boolean
}

/** https://learn.microsoft.com/graph/api/resources/user */
export interface User {
  readonly id: string
  readonly displayName: string
  readonly userPrincipalName: string
}

/** https://learn.microsoft.com/graph/api/resources/application */
export interface Application {
  readonly id: string
  readonly appId: string
  readonly displayName: string
  readonly uniqueName: string | null
  readonly createdDateTime: string
  readonly signInAudience: string
  readonly identifierUris: ReadonlyArray<string>
  readonly appRoles: ReadonlyArray<AppRole>
  readonly requiredResourceAccess: ReadonlyArray<unknown>
  readonly isFallbackPublicClient: boolean | null
  readonly description: string | null
  readonly notes: string | null
  readonly tags: ReadonlyArray<string>
}

/** https://learn.microsoft.com/graph/api/resources/serviceprincipal */
export interface ServicePrincipal {
  readonly id: string
  readonly appId: string
  readonly displayName: string
  readonly accountEnabled: boolean
  readonly appRoleAssignmentRequired: boolean
  readonly servicePrincipalType: "Application"
  readonly appRoles: ReadonlyArray<AppRole>
  readonly oauth2PermissionScopes: ReadonlyArray<PermissionScope>
  /** What a scope or a resource may call it by: the client id, the application's URIs. */
  readonly servicePrincipalNames: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
}

/** https://learn.microsoft.com/graph/api/resources/federatedidentitycredential */
export interface FederatedCredential {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly subject: string
  /** Exactly one. */
  readonly audiences: ReadonlyArray<string>
  readonly description: string | null
}

/** https://learn.microsoft.com/graph/api/resources/approleassignment */
export interface AppRoleAssignment {
  readonly id: string
  readonly appRoleId: string
  readonly createdDateTime: string
  readonly principalId: string
  readonly principalDisplayName: string
  readonly principalType: "ServicePrincipal"
  readonly resourceId: string
  readonly resourceDisplayName: string
}

/** An object and its age. */
interface Entry<A> {
  readonly value: A
  /** Epoch milliseconds; minus infinity for what was there from the start. */
  readonly createdAt: number
}

/** Objects by their `id`. */
export type Table<A> = Map<string, Entry<A>>

export interface Directory {
  readonly tenantId: string
  /** The tenant's verified domain. */
  readonly domain: string
  readonly displayName: string
  readonly applications: Table<Application>
  readonly servicePrincipals: Table<ServicePrincipal>
  /** By the application's `id`. */
  readonly credentials: Map<string, Table<FederatedCredential>>
  readonly assignments: Table<AppRoleAssignment>
  /** By id. */
  readonly users: Map<string, User>
  /** What administrators have consented to for all users. */
  readonly consents: Set<string>
}

/** Consents to a permission, named with its resource: `https://graph.microsoft.com/User.Read`. */
export const grant = (
  { consents, servicePrincipals }: Directory,
  clientId: string,
  scope: string
): void => {
  const at = scope.lastIndexOf("/")
  for (const { value } of servicePrincipals.values()) {
    if (value.servicePrincipalNames.includes(scope.slice(0, at)))
      consents.add(consent(clientId, value.appId, scope.slice(at + 1)))
  }
}

/** A consent, as it is remembered. */
export const consent = (clientId: string, resourceAppId: string, permission: string): string =>
  [clientId, resourceAppId, permission].join(" ")

/** The user of that name, who is there from the first time on. */
export const userNamed = ({ users }: Directory, userPrincipalName: string): User => {
  const known = [...users.values()].find((user) => user.userPrincipalName === userPrincipalName)
  if (known !== undefined) return known
  const [displayName = ""] = userPrincipalName.split("@")
  const user = { id: randomUUID(), displayName, userPrincipalName }
  users.set(user.id, user)
  return user
}

/** What was there before anyone came: it has spread everywhere. */
export const always = Number.NEGATIVE_INFINITY

export const graphAppId = "00000003-0000-0000-c000-000000000000"

/** What assertions for Entra are for, where Entra itself issues them: `api://AzureADTokenExchange`. */
export const exchangeAppId = "fb60f99c-7a34-4190-8149-302f77469936"

/** A tenant with the service principals of Microsoft's own APIs. */
export const make = (tenantId: string): Directory => {
  const directory: Directory = {
    tenantId,
    domain: "sandbox.onmicrosoft.com",
    displayName: "Federate sandbox",
    applications: new Map(),
    servicePrincipals: new Map(),
    credentials: new Map(),
    assignments: new Map(),
    users: new Map(),
    consents: new Set()
  }
  for (const api of microsoftApis) {
    put(
      directory.servicePrincipals,
      {
        id: randomUUID(),
        appId: api.appId,
        displayName: api.displayName,
        accountEnabled: true,
        appRoleAssignmentRequired: false,
        servicePrincipalType: "Application",
        appRoles: api.permissions.map(([value, id]) => permission(value, id)),
        oauth2PermissionScopes: api.delegated.map(([value, id]) => ({
          id,
          value,
          type: "User" as const,
          isEnabled: true
        })),
        servicePrincipalNames: [api.appId, ...api.uris],
        tags: []
      },
      always
    )
  }
  return directory
}

export const put = <A extends { readonly id: string }>(
  table: Table<A>,
  value: A,
  createdAt: number
): A => {
  table.set(value.id, { value, createdAt })
  return value
}

/** Changes an object, which keeps its age. */
export const update = <A extends { readonly id: string }>(
  table: Table<A>,
  id: string,
  changes: Partial<NoInfer<A>>
): void => {
  const entry = table.get(id)
  if (entry !== undefined) table.set(id, { ...entry, value: { ...entry.value, ...changes } })
}

/** A table's objects that are at least this old. */
export const seen = <A>(table: Table<A>, before: number): ReadonlyArray<A> =>
  [...table.values()].filter(({ createdAt }) => createdAt <= before).map(({ value }) => value)

/** The application's credentials. */
export const credentialsOf = (
  directory: Directory,
  applicationId: string
): Table<FederatedCredential> => directory.credentials.get(applicationId) ?? new Map()

/** What a new application has where its maker says nothing. */
export const newApplication = (
  fields: Partial<Application> & { readonly displayName: string },
  now: number
): Application => ({
  uniqueName: null,
  signInAudience: "AzureADMyOrg",
  identifierUris: [],
  appRoles: [],
  requiredResourceAccess: [],
  isFallbackPublicClient: null,
  description: null,
  notes: null,
  tags: [],
  ...fields,
  id: randomUUID(),
  appId: randomUUID(),
  createdDateTime: dateTime(now)
})

export const addApplication = (
  directory: Directory,
  application: Application,
  createdAt: number
): Application => {
  directory.credentials.set(application.id, new Map())
  return put(directory.applications, application, createdAt)
}

/** The application as this tenant lets it in. */
export const newServicePrincipal = (
  { appId, appRoles, displayName, identifierUris }: Application,
  fields: Partial<ServicePrincipal> = {}
): ServicePrincipal => ({
  accountEnabled: true,
  appRoleAssignmentRequired: false,
  tags: [],
  ...fields,
  id: randomUUID(),
  appId,
  displayName,
  servicePrincipalType: "Application",
  appRoles,
  oauth2PermissionScopes: [],
  servicePrincipalNames: [appId, ...identifierUris]
})

export const newAssignment = (
  principal: ServicePrincipal,
  resource: ServicePrincipal,
  appRoleId: string,
  now: number
): AppRoleAssignment => ({
  id: randomUUID(),
  appRoleId,
  createdDateTime: dateTime(now),
  principalId: principal.id,
  principalDisplayName: principal.displayName,
  principalType: "ServicePrincipal",
  resourceId: resource.id,
  resourceDisplayName: resource.displayName
})

/** With everything that was granted to it, or by it. */
export const removeServicePrincipal = (directory: Directory, id: string): void => {
  directory.servicePrincipals.delete(id)
  for (const { value } of directory.assignments.values()) {
    if (value.principalId === id || value.resourceId === id) directory.assignments.delete(value.id)
  }
}

/** Graph's dates: `2026-01-31T23:59:59Z`. */
const dateTime = (millis: number): string => new Date(millis).toISOString().replace(/\.\d{3}/, "")

const permission = (value: string, id: string): AppRole => ({
  id,
  value,
  displayName: value,
  description: value,
  allowedMemberTypes: ["Application"],
  isEnabled: true
})

/** https://learn.microsoft.com/graph/permissions-reference, as far as trusts are read and written with them. */
const graphPermissions: ReadonlyArray<readonly [value: string, id: string]> = [
  ["Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcbac3a270c"],
  ["Application.ReadWrite.All", "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"],
  ["Application.ReadWrite.OwnedBy", "18a4783c-866b-4cc7-a460-3d5e5662c884"],
  ["AppRoleAssignment.ReadWrite.All", "06b708a9-e830-4db3-a914-8e69da51d44f"],
  ["Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"],
  ["Directory.ReadWrite.All", "19dbc75e-c2e2-444c-a770-ec69d8559fc7"],
  ["Group.Read.All", "5b567255-7703-4780-807c-7be8301ae99b"],
  ["Group.ReadWrite.All", "62a82d76-70ea-41e2-9197-370581804d09"],
  ["RoleManagement.ReadWrite.Directory", "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"],
  ["User.Read.All", "df021288-bdef-4463-88db-98f22de89214"]
]

const delegatedGraphPermissions: typeof graphPermissions = [
  ["User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"],
  ["Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca"]
]

/** The APIs that every tenant knows, as far as the sandbox issues tokens for them. */
const microsoftApis: ReadonlyArray<{
  readonly appId: string
  readonly displayName: string
  readonly uris: ReadonlyArray<string>
  readonly permissions: typeof graphPermissions
  readonly delegated: typeof graphPermissions
}> = [
  {
    appId: graphAppId,
    displayName: "Microsoft Graph",
    uris: ["https://graph.microsoft.com", "https://graph.microsoft.com/"],
    permissions: graphPermissions,
    delegated: delegatedGraphPermissions
  },
  {
    appId: exchangeAppId,
    displayName: "AAD Token Exchange Endpoint: Public",
    uris: ["api://AzureADTokenExchange"],
    permissions: [],
    delegated: []
  },
  {
    appId: "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    displayName: "Windows Azure Service Management API",
    uris: [
      "https://management.azure.com",
      "https://management.azure.com/",
      "https://management.core.windows.net",
      "https://management.core.windows.net/"
    ],
    permissions: [],
    delegated: [["user_impersonation", "41094075-9dad-400e-a0bd-54e686782033"]]
  },
  {
    appId: "cfa8b339-82a2-471a-a3c9-0fe0be7a4093",
    displayName: "Azure Key Vault",
    uris: ["https://vault.azure.net"],
    permissions: [],
    delegated: [["user_impersonation", "f53da476-18e3-4152-8e01-aec403e6edc0"]]
  },
  {
    appId: "e406a681-f3d4-42a8-90b6-c2b029497af1",
    displayName: "Azure Storage",
    uris: ["https://storage.azure.com", "https://storage.azure.com/"],
    permissions: [],
    delegated: [["user_impersonation", "03e0da56-190b-40ad-a80c-ea378c433f7f"]]
  }
]
