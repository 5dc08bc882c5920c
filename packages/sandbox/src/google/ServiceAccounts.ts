/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { alreadyExists, authorize, textFields } from "./Call.ts"
import type { Answer, Call } from "./Call.ts"
import { invalid, notFound } from "./GoogleError.ts"
import * as History from "../kernel/History.ts"
import * as Policy from "./Policy.ts"
import { findServiceAccount, newUniqueId } from "./Project.ts"
import type { Project, ServiceAccount } from "./Project.ts"

const describeAccount = (
  { id }: Project,
  { description, displayName, email, policy, uniqueId }: ServiceAccount
) => ({
  name: `projects/${id}/serviceAccounts/${email}`,
  projectId: id,
  uniqueId,
  email,
  displayName,
  description,
  etag: History.current(policy).etag,
  oauth2ClientId: uniqueId
})

const findAccount = Effect.fnUntraced(function* ({ project }: Call, name: string) {
  const account = findServiceAccount(project, name)
  return account ?? (yield* notFound("Unknown service account"))
})

export const serviceAccounts = {
  list: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "iam.serviceAccounts.list")
    const { project } = call
    return {
      accounts: [...project.serviceAccounts.values()].map((each) => describeAccount(project, each))
    }
  }),
  get: Effect.fnUntraced(function* (call: Call, name: string) {
    const account = yield* findAccount(call, name)
    yield* authorize(call, "iam.serviceAccounts.get", [account.policy])
    return describeAccount(call.project, account)
  }),
  create: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "iam.serviceAccounts.create")
    const { body, now, project } = call
    const { accountId, serviceAccount = {} } = body
    if (typeof accountId !== "string" || !/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(accountId)) {
      return yield* invalid("The account ID is not of 6 to 30 characters, or malformed.")
    }
    const email = `${accountId}@${project.id}.iam.gserviceaccount.com`
    if (project.serviceAccounts.has(email)) return yield* alreadyExists
    const account: ServiceAccount = {
      email,
      uniqueId: newUniqueId(),
      ...(Predicate.isObject(serviceAccount) && textFields({ ...serviceAccount })),
      createdAt: now,
      policy: Policy.begin()
    }
    project.serviceAccounts.set(email, account)
    return describeAccount(project, account)
  }),
  remove: Effect.fnUntraced(function* (call: Call, name: string) {
    const account = yield* findAccount(call, name)
    yield* authorize(call, "iam.serviceAccounts.delete", [account.policy])
    call.project.serviceAccounts.delete(account.email)
    return {}
  }),
  getIamPolicy: Effect.fnUntraced(function* (call: Call, name: string) {
    const account = yield* findAccount(call, name)
    yield* authorize(call, "iam.serviceAccounts.getIamPolicy", [account.policy])
    return History.current(account.policy)
  }),
  setIamPolicy: Effect.fnUntraced(function* (call: Call, name: string) {
    const account = yield* findAccount(call, name)
    yield* authorize(call, "iam.serviceAccounts.setIamPolicy", [account.policy])
    return yield* Effect.fromResult(Policy.replace(account.policy, call.body["policy"], call.now))
  })
} satisfies Record<string, (call: Call, name: string) => Answer>
