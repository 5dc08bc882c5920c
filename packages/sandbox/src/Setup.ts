/** What a sandbox holds from the start. */
import { randomUUID } from "node:crypto"
import * as Result from "effect/Result"
import * as Account from "./aws/Account.ts"
import * as Policy from "./aws/Policy.ts"
import { cognitoPrincipal } from "./aws/WebIdentity.ts"
import * as IdentityPools from "./cognito/IdentityPools.ts"
import * as Directory from "./entra/Directory.ts"
import * as History from "./kernel/History.ts"
import type { Trust } from "./Options.ts"

/** The first journey's developer provider, and the workload's user id with it. */
const developerProvider = "my.dev.provider"
const developerUser = "my_user_id"

/** An administrator's role that may do everything, and a workload's role that may do nothing yet; a key for each. */
export const accounts = (account: Account.Account, now: number) => {
  const key = (name: string) =>
    Account.addKey(
      account,
      Account.addRole(account, { name, createdAt: now, trustPolicy: trustOf(lambda) }),
      { sessionName: "sandbox" }
    )
  const admin = key("sandbox-administrator")
  putPolicy(admin.role, "administrator", { Action: "*", Resource: "*" })
  return { admin, workload: key("federate-workload") }
}

const trustOf = (
  ...statements: ReadonlyArray<Readonly<Record<string, unknown>>>
): Account.TrustPolicy => {
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...statement }))
  })
  return { document, statements: Result.getOrThrow(Policy.parseTrust(document)) }
}

const lambda = { Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }

/** Whoever a pool knows. */
const identitiesOf = (poolId: string) => ({
  Principal: { Federated: cognitoPrincipal },
  Action: "sts:AssumeRoleWithWebIdentity",
  Condition: {
    StringEquals: { [`${cognitoPrincipal}:aud`]: poolId },
    "ForAnyValue:StringLike": { [`${cognitoPrincipal}:amr`]: "authenticated" }
  }
})

/** A role that one issuer's assertions may assume; it may do nothing but say who it is. */
export const federatedRole = (
  account: Account.Account,
  { audience = "sts.amazonaws.com", issuer, subject }: Trust,
  now: number
): Account.Role => {
  const { arn, url } = Account.addOidcProvider(account, {
    url: issuer.replace(/^https:\/\//, ""),
    clientIds: [audience],
    thumbprints: [],
    createdAt: now,
    tags: new Map()
  })
  return Account.addRole(account, {
    name: "federated",
    createdAt: now,
    trustPolicy: trustOf({
      Principal: { Federated: arn },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: { [`${url}:aud`]: audience },
        StringLike: { [`${url}:sub`]: subject }
      }
    })
  })
}

const putPolicy = (
  role: Account.Role,
  name: string,
  statement: { readonly Action: unknown; readonly Resource: string }
): void => {
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", ...statement }]
  })
  role.policies.set(name, { document, statements: Result.getOrThrow(Policy.parse(document)) })
  Account.setPermissions(role)
}

export interface Journey {
  readonly account: Account.Account
  readonly pools: IdentityPools.IdentityPools
  /** Cognito's. */
  readonly issuer: string
  readonly directory: Directory.Directory
  /** The workload's. */
  readonly role: Account.Role
  /** Epoch milliseconds. */
  readonly now: number
}

/** AWS → Entra → Microsoft Graph, with both halves of the trust in place, and no more than it needs. */
export const firstJourney = (journey: Journey) => {
  const { account, directory, issuer, now, pools, role } = journey
  const { always } = Directory
  const pool = IdentityPools.addPool(pools, account.region, {
    IdentityPoolName: "federate",
    AllowUnauthenticatedIdentities: false,
    DeveloperProviderName: developerProvider
  })
  const identity = IdentityPools.identityOf(pool, account.region, developerUser)
  putPolicy(role, "federate", {
    Action: ["cognito-identity:GetOpenIdTokenForDeveloperIdentity", "cognito-identity:GetId"],
    Resource: `arn:aws:cognito-identity:${account.region}:${account.id}:identitypool/${pool.id}`
  })
  // The pool names no role yet; whoever names this one finds it ready.
  History.set(role.trustPolicy, trustOf(lambda, identitiesOf(pool.id)), always)

  const application = Directory.addApplication(
    directory,
    Directory.newApplication({ displayName: "federate-first-journey" }, now),
    always
  )
  const client = Directory.put(
    directory.servicePrincipals,
    Directory.newServicePrincipal(application),
    always
  )
  Directory.put(
    Directory.credentialsOf(directory, application.id),
    {
      id: randomUUID(),
      name: "cognito",
      issuer,
      subject: identity.id,
      audiences: [pool.id],
      description: null
    },
    always
  )
  const graph = [...directory.servicePrincipals.values()]
    .map(({ value }) => value)
    .find(({ appId }) => appId === Directory.graphAppId)
  const permission = graph?.appRoles.find(({ value }) => value === "Application.Read.All")
  if (graph !== undefined && permission !== undefined) {
    const assignment = Directory.newAssignment(client, graph, permission.id, now)
    Directory.put(directory.assignments, assignment, always)
  }
  return { clientId: application.appId, identityPoolId: pool.id, identityId: identity.id }
}
