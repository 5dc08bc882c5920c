/**
 * Services that take a workload's assertion at a token endpoint of their own, each in its own way, and one call that
 * wants what they issue.
 *
 * https://developers.openai.com/api/reference/workload-identity-federation,
 * https://platform.claude.com/docs/en/manage-claude/wif-reference,
 * https://openrouter.ai/docs/guides/overview/auth/workload-identity-federation
 */
import { randomBytes, randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { json } from "../kernel/Http.ts"
import type { Request, Response } from "../kernel/Http.ts"
import type { Service } from "../kernel/Service.ts"
import { seconds } from "../kernel/ServiceClock.ts"
import type { ServiceClock } from "../kernel/ServiceClock.ts"
import { refuse, toResponse, uncached } from "./OAuthError.ts"
import type { OAuthError } from "./OAuthError.ts"
import { readForm, readJson, required } from "./Parameters.ts"
import type { Disbelief, TrustStore } from "./Trust.ts"

export type ServiceName = "anthropic" | "openai" | "openrouter"

interface Manner {
  readonly tokenPath: string
  readonly grantType: string
  readonly read: (request: Request) => Effect.Effect<URLSearchParams, OAuthError>
  /** The parameter that the assertion is in. */
  readonly assertion: "assertion" | "subject_token"
  /** Which of its own parameters must be there, with exactly these values. */
  readonly parameters: Readonly<Record<string, string>>
  /** What a missing one is called. */
  readonly missing: OAuthError["error"]
  readonly once: boolean
  readonly tokenPrefix: string
  /** In seconds. */
  readonly longest: number
  readonly disbelieved: (disbelief: Disbelief) => Response
  readonly more: Readonly<Record<string, string>>
}

const types = "urn:ietf:params:oauth:token-type:"

/** They say no more to who asks. */
const authenticationError = () =>
  json(401, { error: { type: "authentication_error", message: "Authentication failed" } })

const makeManners = (): Readonly<Record<ServiceName, Manner>> => ({
  anthropic: {
    tokenPath: "/v1/oauth/token",
    grantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    read: readJson,
    assertion: "assertion",
    parameters: {
      federation_rule_id: `fdrl_${token()}`,
      organization_id: randomUUID(),
      service_account_id: `svac_${token()}`
    },
    missing: "invalid_grant",
    once: true,
    tokenPrefix: "sk-ant-oat01-",
    longest: 3600,
    disbelieved: authenticationError,
    more: { scope: "workspace:developer" }
  },
  openai: {
    tokenPath: "/oauth/token",
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    read: readJson,
    assertion: "subject_token",
    parameters: { identity_provider_id: `idp_${token()}`, service_account_id: `sa_${token()}` },
    missing: "invalid_request",
    once: false,
    tokenPrefix: "oai-",
    longest: 3600,
    disbelieved: authenticationError,
    more: { issued_token_type: `${types}access_token` }
  },
  openrouter: {
    tokenPath: "/api/v1/oauth/token",
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    read: (request) => readForm(request),
    assertion: "subject_token",
    parameters: { federation_policy_id: token() },
    missing: "invalid_request",
    once: false,
    tokenPrefix: "sk-or-wif-",
    longest: 900,
    disbelieved: ({ detail }) => toResponse(refuse("invalid_grant", detail)),
    more: { issued_token_type: `${types}access_token`, scope: "inference" }
  }
})

const token = (): string => randomBytes(9).toString("base64url")

/** Where one is, and what of its own it wants to be told. */
export interface RunningService {
  /** What stands in the place of the service's own scheme and host. */
  readonly url: string
  readonly tokenEndpoint: string
  readonly parameters: Readonly<Record<string, string>>
}

const names: ReadonlyArray<ServiceName> = ["anthropic", "openai", "openrouter"]

/** @param base the sandbox's https base URL */
export const make = (base: string, trust: TrustStore, clock: ServiceClock) => {
  const manners = makeManners()
  /** When each token ends, epoch milliseconds. */
  const issued = new Map<string, number>()
  const pathOf = (name: ServiceName) => `/services/${name}`

  const exchange = Effect.fnUntraced(function* (name: ServiceName, request: Request, now: number) {
    const manner = manners[name]
    const parameters = yield* manner.read(request)
    const grantType = yield* required(parameters, "grant_type")
    if (grantType !== manner.grantType)
      return yield* refuse("unsupported_grant_type", `There is no ${grantType}`)
    const assertion = yield* required(parameters, manner.assertion)
    if (manner.assertion === "subject_token") {
      const type = yield* required(parameters, "subject_token_type")
      if (type !== `${types}jwt` && type !== `${types}id_token`)
        return yield* refuse("invalid_request", "Another subject_token_type")
    }
    for (const [own, value] of Object.entries(manner.parameters)) {
      if (!parameters.has(own)) return yield* refuse(manner.missing, `${own} is missing`)
      if (parameters.get(own) !== value) return yield* refuse("invalid_grant", `No such ${own}`)
    }
    const audiences = [`${base}${pathOf(name)}${manner.tokenPath}`]
    const { expiresAt } = yield* trust.believe(assertion, { audiences, now, once: manner.once })
    const lifetime = Math.min(manner.longest, expiresAt - seconds(now))
    const accessToken = `${manner.tokenPrefix}${randomBytes(24).toString("base64url")}`
    issued.set(`${name} ${accessToken}`, now + lifetime * 1000)
    return json(
      200,
      { access_token: accessToken, token_type: "Bearer", expires_in: lifetime, ...manner.more },
      uncached
    )
  })

  const models = (name: ServiceName, { headers }: Request, now: number) => {
    const [, shown = ""] = /^bearer (.+)$/i.exec(headers["authorization"] ?? "") ?? []
    const until = issued.get(`${name} ${shown}`)
    return until === undefined || until <= now
      ? authenticationError()
      : json(200, { object: "list", data: [{ id: "a-model", object: "model" }] })
  }

  const service: Service = {
    name: "services",
    route: (request) => {
      const { method, path } = request
      for (const name of names) {
        const { disbelieved, tokenPath } = manners[name]
        if (method === "POST" && path === `${pathOf(name)}${tokenPath}`) {
          return {
            endpoint: `services.${name}`,
            answer: clock.now("services").pipe(
              Effect.flatMap((now) => exchange(name, request, now)),
              Effect.catchTags({
                OAuthError: (error) => Effect.succeed(toResponse(error)),
                Disbelief: (disbelief) => Effect.succeed(disbelieved(disbelief))
              })
            )
          }
        }
        if (method === "GET" && path === `${pathOf(name)}/v1/models`) {
          return {
            endpoint: "services.models",
            answer: Effect.map(clock.now("services"), (now) => models(name, request, now))
          }
        }
      }
      return undefined
    },
    failure: (_request, failure) =>
      Effect.succeed(
        json(failure === "throttled" ? 429 : failure, {
          error: { type: "overloaded_error", message: "Overloaded" }
        })
      )
  }

  const at = (name: ServiceName): RunningService => {
    const url = `${base}${pathOf(name)}`
    const { parameters, tokenPath } = manners[name]
    return { url, tokenEndpoint: `${url}${tokenPath}`, parameters }
  }
  return {
    service,
    running: { anthropic: at("anthropic"), openai: at("openai"), openrouter: at("openrouter") }
  }
}
