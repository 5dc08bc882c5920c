/**
 * The metadata server of Google's machines, as far as it hands out their service accounts' tokens.
 *
 * https://cloud.google.com/compute/docs/metadata/overview
 */
import * as Effect from "effect/Effect"
import type { KeyRing } from "../KeyRing.ts"
import { json, matchPath } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import { idToken } from "./idToken.ts"
import { findServiceAccount, newUniqueId } from "./Project.ts"
import type { Project, ServiceAccount } from "./Project.ts"
import * as Policy from "./Policy.ts"
import type { Tokens } from "./Tokens.ts"

export interface Options {
  readonly project: Project
  readonly tokens: Tokens
  /** What ID tokens are signed with, and by whom. */
  readonly keys: KeyRing
  readonly issuer: string
  /** The e-mails of the accounts that are attached to this machine; the first is its default one. */
  readonly attached: ReadonlySet<string>
  readonly clock: ServiceClock
}

/** A service account of the project's, for a machine. */
export const makeServiceAccount = (project: Project, now: number): ServiceAccount => {
  const email = `machine-${project.serviceAccounts.size + 1}@${project.id}.iam.gserviceaccount.com`
  const account: ServiceAccount = {
    email,
    uniqueId: newUniqueId(),
    createdAt: now,
    policy: Policy.begin()
  }
  project.serviceAccounts.set(email, account)
  return account
}

/** What a machine may ask for, where nobody said more. */
const defaultScopes = ["https://www.googleapis.com/auth/cloud-platform"]

/** In seconds. */
const lifetime = 3599

const root = "/computeMetadata/v1"

export const make = ({ attached, clock, issuer, keys, project, tokens }: Options): Service => {
  const account = (name: string): ServiceAccount | undefined => {
    const email = name === "default" ? [...attached][0] : name
    return email !== undefined && attached.has(email)
      ? findServiceAccount(project, email)
      : undefined
  }

  const identity = Effect.fnUntraced(function* ({ email, uniqueId }: ServiceAccount, query: Query) {
    const audience = query.get("audience")
    if (!audience) return text("non-empty audience parameter required", 400)
    const now = yield* clock.now("google")
    const isFull = query.get("format") === "full"
    return text(
      yield* idToken(keys.current(), {
        issuer,
        subject: uniqueId,
        audience,
        now,
        ...(isFull && { email, machine: { project_id: project.id, zone: "us-central1-a" } })
      })
    )
  })

  const token = ({ email }: ServiceAccount, query: Query) =>
    Effect.map(clock.now("google"), (now) =>
      json(
        200,
        {
          access_token: tokens.issue({
            principal: { _tag: "ServiceAccount", email },
            scopes: query.get("scopes")?.split(",") ?? defaultScopes,
            expiresAt: now + lifetime * 1000
          }),
          expires_in: lifetime,
          token_type: "Bearer"
        },
        flavor
      )
    )

  const ofAccount = (path: string, query: Query): Effect.Effect<Response> | undefined => {
    const { account: name, what } =
      matchPath(`${root}/instance/service-accounts/{account}/{what}`, path) ??
      matchPath(`${root}/instance/service-accounts/{account}/`, path) ??
      {}
    const found = name === undefined ? undefined : account(name)
    if (found === undefined) return undefined
    if (what === "identity") return identity(found, query)
    if (what === "token") return token(found, query)
    if (what === "email") return Effect.succeed(text(found.email))
    return what === undefined && query.get("recursive") === "true"
      ? Effect.succeed(
          json(200, { aliases: ["default"], email: found.email, scopes: defaultScopes }, flavor)
        )
      : undefined
  }

  const plain: Readonly<Record<string, string>> = {
    "/": "computeMetadata/\n",
    [root]: "instance/\nproject/\n",
    [`${root}/instance`]: "service-accounts/\n",
    [`${root}/project/project-id`]: project.id,
    [`${root}/project/numeric-project-id`]: project.number,
    [`${root}/universe/universe-domain`]: "googleapis.com"
  }

  const answer = ({ headers, path, query }: Request): Effect.Effect<Response> => {
    // Who asks for somebody else, or does not know whom he asks.
    const isAsked = headers["metadata-flavor"]?.toLowerCase() === "google" || path === "/"
    if (!isAsked) return Effect.succeed(text("Missing required header: Metadata-Flavor", 403))
    if (headers["x-forwarded-for"] !== undefined)
      return Effect.succeed(text("Forwarded requests are not served", 403))
    const leaf = plain[path] ?? plain[path.replace(/\/$/, "")]
    return leaf === undefined
      ? (ofAccount(path, query) ?? Effect.succeed(text("Not Found", 404)))
      : Effect.succeed(text(leaf))
  }

  return {
    name: "gce",
    route: (request) => {
      const { method, path } = request
      if (method !== "GET" || !(path === "/" || path.startsWith("/computeMetadata")))
        return undefined
      const [what] = /(?:identity|token)$/.exec(path) ?? ["metadata"]
      return {
        // One of the two that the pattern has, or neither.
        endpoint: `gce.${what as "identity" | "metadata" | "token"}`,
        answer: answer(request)
      }
    },
    failure: (_request, failure) =>
      Effect.succeed(text("The service cannot answer now", failure === "throttled" ? 429 : failure))
  }
}

type Query = Request["query"]

/** On every answer: Google's clients take none without it. */
const flavor = { "metadata-flavor": "Google", server: "Metadata Server for VM" }

const text = (body: string, status = 200): Response => ({
  status,
  headers: { "content-type": "application/text", ...flavor },
  body
})
