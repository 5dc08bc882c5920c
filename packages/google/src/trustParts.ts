/** The parts of Google's half of a trust, as IAM and Resource Manager keep them. */
import {
  inConfiguration as failing,
  Malformed,
  Misconfigured,
  Rejected,
  Transient
} from "@federate/core"
import type { Reason } from "@federate/core"
import { publicText } from "@federate/http"
import type { Found, Known, Prerequisite, Reference, Resource, State } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Api } from "./api.ts"
import { longestSubject } from "./rules.ts"

/** Where the parts are, and by which mark. */
export interface Organization {
  readonly iam: Api
  readonly projects: Api
  readonly flow: string
  /** The description of what is ours. */
  readonly mark: string
  readonly pool: string
  readonly provider: string
}

const side = "Google Cloud"

const inConfiguration = failing("google")

/** Makes `projectId` and `projectNumber` known. https://cloud.google.com/resource-manager/reference/rest/v1/projects/get */
export const project = ({ flow, projects }: Organization, named: string): Prerequisite => ({
  side,
  kind: "project",
  name: named,
  makes: ["projectId", "projectNumber"],
  ask: Effect.fnUntraced(function* () {
    const { projectId, projectNumber } =
      (yield* projects.call({ method: "GET", path: `/v1/projects/${named}` })) ?? {}
    if (typeof projectId === "string" && typeof projectNumber === "string") {
      return { projectId, projectNumber }
    }
    return yield* Effect.fail(
      new Misconfigured({
        setting: `trust.${flow}.exchanger.project`,
        problem: `there is no project "${named}" for whoever holds the token`,
        hint: "`gcloud projects list` tells ids and numbers."
      })
    )
  }, inConfiguration)
})

/** Full names, as far as the project is known. */
const poolsOf = ({ projectNumber }: Known): string | undefined =>
  projectNumber === undefined
    ? undefined
    : `projects/${projectNumber}/locations/global/workloadIdentityPools`

const poolName = ({ pool }: Organization, known: Known): string | undefined => {
  const pools = poolsOf(known)
  return pools === undefined ? undefined : `${pools}/${pool}`
}

export const providerName = (of: Organization, known: Known): string | undefined => {
  const pool = poolName(of, known)
  return pool === undefined ? undefined : `${pool}/providers/${of.provider}`
}

/** How often an operation is asked whether it is done, in milliseconds, and how many times. */
const polling = { pause: 500, times: 60 }

/** Writes, and waits for the operation that it starts: https://cloud.google.com/iam/docs/reference/rest/Shared.Types/Operation */
const done = Effect.fnUntraced(function* (
  { iam }: Organization,
  request: Parameters<Api["call"]>[0]
): Effect.fn.Return<void, Reason> {
  let operation = yield* iam.call(request)
  if (operation === undefined && request.method !== "DELETE") {
    return yield* Effect.fail(new Transient({ detail: `${request.path} is not seen yet` }))
  }
  for (let time = 0; operation !== undefined && operation["done"] !== true; time++) {
    const { name } = operation
    if (typeof name !== "string") {
      return yield* Effect.fail(new Malformed({ detail: "Google's operation has no name" }))
    }
    if (time === polling.times) {
      return yield* Effect.fail(new Transient({ detail: `${name} is not done yet` }))
    }
    if (time > 0) yield* Effect.sleep(polling.pause)
    operation = yield* iam.call({ method: "GET", path: `/v1/${name}` })
  }
  const { message } = record(operation?.["error"])
  if (message !== undefined) {
    return yield* Effect.fail(
      new Transient({ detail: `Google's operation came to nothing: ${publicText(`${message}`)}` })
    )
  }
})

/** A pool or a provider: each keeps its name for 30 days after it was deleted, and can be restored until then. */
const kept = Effect.fnUntraced(function* (
  { iam, mark }: Organization,
  name: string | undefined,
  known: Known
): Effect.fn.Return<Found | undefined, Reason> {
  const found =
    name === undefined ? undefined : yield* iam.call({ method: "GET", path: `/v1/${name}` })
  return (
    found && {
      // What is false is left out.
      state: { ...found, disabled: found["disabled"] === true },
      known,
      isOurs: found["description"] === mark,
      isDeleted: found["state"] === "DELETED"
    }
  )
})

/** What is written of it: its state is told, and changed by other means. */
const written = (desired: State): State => {
  const { state: _, ...fields } = desired
  return fields
}

interface Amendment {
  readonly name: string
  readonly found: Found
  /** Field by field, with its value. */
  readonly fields: State
}

/** Restores what is deleted, and writes the fields that are given. */
const amend = Effect.fnUntraced(function* (
  of: Organization,
  { fields, found, name }: Amendment
): Effect.fn.Return<void, Reason> {
  if (found.isDeleted === true) {
    yield* done(of, { method: "POST", path: `/v1/${name}:undelete`, body: {} })
  }
  const mask = Object.keys(fields).join()
  yield* done(of, { method: "PATCH", path: `/v1/${name}?updateMask=${mask}`, body: fields })
})

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
export const pool = (of: Organization): Resource => ({
  side,
  kind: "pool",
  name: of.pool,
  makes: [],
  own: ["description"],
  desired: () => ({ state: "ACTIVE", disabled: false, description: of.mark }),
  read: (known) => inConfiguration(kept(of, poolName(of, known), {})),
  create: (desired, known) =>
    inConfiguration(
      done(of, {
        method: "POST",
        path: `/v1/${poolsOf(known)}?workloadIdentityPoolId=${of.pool}`,
        body: written(desired)
      })
    ),
  update: (found, { disabled }, known) =>
    inConfiguration(amend(of, { name: `${poolName(of, known)}`, found, fields: { disabled } })),
  remove: Effect.fnUntraced(function* (_, known) {
    const name = poolName(of, known)
    const { workloadIdentityPoolProviders: others = [] } =
      (yield* of.iam.call({ method: "GET", path: `/v1/${name}/providers` })) ?? {}
    if (Array.isArray(others) && others.length > 0) {
      return yield* Effect.fail(
        new Misconfigured({
          setting: `the pool ${of.pool}`,
          problem: `has ${others.length} more ${others.length === 1 ? "provider" : "providers"}, which others need`,
          hint: "It is left there. Delete those first; or the pool by hand, when nobody needs it."
        })
      )
    }
    yield* done(of, { method: "DELETE", path: `/v1/${name}` })
  }, inConfiguration)
})

/**
 * What `google.subject` is mapped from, and comes to. One that is too long is called by the flow's name: the condition
 * lets nobody else in.
 */
const subjectOf = ({ flow }: Organization, sub: string) =>
  new TextEncoder().encode(sub).length > longestSubject
    ? { expression: JSON.stringify(flow), subject: flow }
    : { expression: "assertion.sub", subject: sub }

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
export const provider = (of: Organization, isNew: boolean): Resource => ({
  side,
  kind: "provider",
  name: of.provider,
  makes: isNew ? ["audience"] : [],
  own: ["description"],
  desired: (reference) => {
    const sub = reference("sub")
    return {
      state: "ACTIVE",
      disabled: false,
      oidc: { issuerUri: reference("iss"), allowedAudiences: [reference("aud")] },
      attributeMapping: { "google.subject": subjectOf(of, sub).expression },
      // One subject, to the letter.
      attributeCondition: `assertion.sub == ${JSON.stringify(sub)}`,
      description: of.mark
    }
  },
  read: (known) => {
    const name = providerName(of, known)
    return inConfiguration(kept(of, name, { audience: `//iam.googleapis.com/${name}` }))
  },
  create: (desired, known) =>
    inConfiguration(
      done(of, {
        method: "POST",
        path: `/v1/${poolName(of, known)}/providers?workloadIdentityPoolProviderId=${of.provider}`,
        body: written(desired)
      })
    ),
  update: (found, desired, known) => {
    const { description: _, ...fields } = written(desired)
    // An uploaded key set stays.
    const oidc = { ...record(found.state["oidc"]), ...record(desired["oidc"]) }
    return inConfiguration(
      amend(of, { name: `${providerName(of, known)}`, found, fields: { ...fields, oidc } })
    )
  },
  remove: (_, known) =>
    inConfiguration(done(of, { method: "DELETE", path: `/v1/${providerName(of, known)}` }))
})

const record = (value: unknown): State => (Predicate.isObject(value) ? { ...value } : {})

/** A service account of ours, or one that is there: by its id in the project, or its e-mail. */
export interface Account {
  readonly id: string
  /** Where the settings have it. */
  readonly email: string | undefined
}

const emailOf = ({ email, id }: Account, reference: Reference): string =>
  email ?? `${id}@${reference("projectId")}.iam.gserviceaccount.com`

/** What is asked for only once it is known. */
const within =
  (known: Known): Reference =>
  (name) =>
    known[name] ?? ""

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export const serviceAccount = (of: Organization, account: Account): Resource => {
  const email = (known: Known) => emailOf(account, within(known))
  const path = (known: Known) => `/v1/projects/-/serviceAccounts/${email(known)}`
  return {
    side,
    kind: "service account",
    name: account.email ?? account.id,
    makes: account.email === undefined ? ["serviceAccount"] : [],
    own: ["description"],
    desired: () => ({ description: of.mark }),
    read: Effect.fnUntraced(function* (known) {
      if (known["projectId"] === undefined) return undefined
      const found = yield* of.iam.call({ method: "GET", path: path(known) })
      return (
        found && {
          state: found,
          known: { serviceAccount: email(known) },
          isOurs: found["description"] === of.mark
        }
      )
    }, inConfiguration),
    create: ({ description }, known) =>
      of.iam
        .call({
          method: "POST",
          path: `/v1/projects/${account.email?.split(/[@.]/)[1] ?? known["projectId"]}/serviceAccounts`,
          body: {
            accountId: account.email?.split("@")[0] ?? account.id,
            serviceAccount: { description, displayName: account.id }
          }
        })
        .pipe(Effect.asVoid, inConfiguration),
    // Only its mark is ours.
    update: () => Effect.void,
    remove: (_, known) =>
      of.iam.call({ method: "DELETE", path: path(known) }).pipe(Effect.asVoid, inConfiguration)
  }
}

/** Who a binding is for. */
type Member = (of: Reference) => string

export const federatedPrincipal =
  (of: Organization): Member =>
  (reference) =>
    `principal://iam.googleapis.com/projects/${reference("projectNumber")}/locations/global/workloadIdentityPools/${of.pool}/subject/${subjectOf(of, reference("sub")).subject}`

export const accountMember =
  (account: Account): Member =>
  (reference) =>
    `serviceAccount:${emailOf(account, reference)}`

/**
 * Whom a policy names may have been made a moment ago, and is not known everywhere yet
 * (https://cloud.google.com/iam/docs/service-accounts-create: it may take a minute).
 */
const notHeardOfYet = (member: string) => {
  const name = member.replace(/^serviceAccount:/, "")
  return Effect.mapError((reason: Reason) =>
    reason._tag === "Rejected" && reason.status === 400 && reason.description.includes(name)
      ? new Rejected({ ...reason, remedy: "waitForTrust" })
      : reason
  )
}

interface Binding {
  readonly role: string
  readonly member: Member
  /** What the policy is of: a service account, or without it the project. */
  readonly account?: Account | undefined
}

/** It bears no mark: it is as much ours as the provider. https://cloud.google.com/iam/docs/reference/rest/v1/Policy */
export const binding = (of: Organization, { account, member, role }: Binding): Resource => {
  const asked = { requestedPolicyVersion: 3 }
  const api = account === undefined ? of.projects : of.iam
  const resource = (reference: Reference) =>
    account === undefined
      ? `projects/${reference("projectId")}`
      : `projects/-/serviceAccounts/${emailOf(account, reference)}`

  const read = Effect.fnUntraced(function* (known: Known) {
    const path = `/v1/${resource(within(known))}`
    return yield* account === undefined
      ? api.call({ method: "POST", path: `${path}:getIamPolicy`, body: { options: asked } })
      : // Conditions are shown, and so kept, by this version alone.
        api.call({
          method: "POST",
          path: `${path}:getIamPolicy?options.requestedPolicyVersion=${asked.requestedPolicyVersion}`,
          body: {}
        })
  })

  /** Reads, changes, and writes what was read with its etag: another's write in between is refused, and read again. */
  const change = Effect.fnUntraced(function* (
    known: Known,
    changed: (bindings: ReadonlyArray<State>) => ReadonlyArray<State>
  ) {
    const policy = yield* read(known)
    if (policy === undefined) {
      return yield* Effect.fail(
        new Transient({
          detail: `${account?.email ?? account?.id ?? "The project"} is not seen yet`
        })
      )
    }
    yield* api.call({
      method: "POST",
      path: `/v1/${resource(within(known))}:setIamPolicy`,
      body: { policy: { ...policy, bindings: changed(bindingsOf(policy)) } }
    })
  })

  const memberOf = (known: Known) => member(within(known))

  return {
    side,
    kind: "policy binding",
    name: role,
    makes: [],
    own: [],
    desired: (reference) => ({ role, member: member(reference), resource: resource(reference) }),
    read: Effect.fnUntraced(function* (known) {
      if (known["projectId"] === undefined) return undefined
      const policy = yield* read(known)
      const wanted = memberOf(known)
      const holds = bindingsOf(policy).some(
        (each) => isPlain(each, role) && membersOf(each).includes(wanted)
      )
      if (!holds) return undefined
      const found = yield* of.iam.call({ method: "GET", path: `/v1/${providerName(of, known)}` })
      return {
        state: { role, member: wanted, resource: resource(within(known)) },
        known: {},
        isOurs: found?.["description"] === of.mark
      }
    }, inConfiguration),
    create: (_, known) =>
      inConfiguration(
        change(known, (bindings) => {
          const wanted = memberOf(known)
          return bindings.some((each) => isPlain(each, role))
            ? bindings.map((each) =>
                isPlain(each, role)
                  ? { ...each, members: [...new Set([...membersOf(each), wanted])] }
                  : each
              )
            : [...bindings, { role, members: [wanted] }]
        }).pipe(notHeardOfYet(memberOf(known)))
      ),
    // It is what it is made of: one that differs is another.
    update: () => Effect.void,
    remove: (_, known) =>
      inConfiguration(
        change(known, (bindings) =>
          bindings.flatMap((each) => {
            if (!isPlain(each, role)) return [each]
            const members = membersOf(each).filter((one) => one !== memberOf(known))
            return members.length === 0 ? [] : [{ ...each, members }]
          })
        )
      )
  }
}

/** One with a condition is another's. */
const isPlain = (each: State, role: string): boolean =>
  each["role"] === role && each["condition"] === undefined

const bindingsOf = (policy: State | undefined): ReadonlyArray<State> => {
  const all = policy?.["bindings"]
  return Array.isArray(all) ? all.filter(Predicate.isObject) : []
}

const membersOf = ({ members }: State): ReadonlyArray<string> =>
  Array.isArray(members) ? members.filter(Predicate.isString) : []
