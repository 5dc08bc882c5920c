/** Whose assertions are trusted with which flows' tokens: what a policy demands of a verified assertion. */
import type { Assertion, FederationError, Flow } from "@federate/core"
import { endpoint, publicText } from "@federate/http"
import { algorithms as known } from "@federate/oidc"
import * as Result from "effect/Result"
import type { SocketConfig, TrustPolicyConfig } from "./BrokerConfig.ts"
import { maximumPattern } from "./limits.ts"
import { isBlank, pattern } from "./pattern.ts"
import { misconfigured, named } from "./ServedFlow.ts"
import type { ServedFlow, ServedTokens } from "./ServedFlow.ts"

export interface TrustPolicy {
  readonly name: string
  readonly issuer: string
  readonly jwksUri: string | undefined
  readonly algorithms: ReadonlyArray<string>
  readonly scopes: ReadonlySet<string>
  /** Where it is served: on loopback without one. */
  readonly socket: string | undefined
  /** By name. */
  readonly flows: ReadonlyMap<string, Granted>
  /** What an assertion of the issuer's, verified, does not fulfil, in words. */
  readonly problem: (assertion: Assertion.Assertion) => string | undefined
}

/** What a policy gives. */
export interface Granted {
  readonly flow: Flow.Flow
  /** How the caller's own assertion is traded, in the mode `forward`; else the flow's own credential is handed out. */
  readonly over: ServedTokens["over"]
}

/** Reads a policy. One that can never work, or would trust everybody, is `Misconfigured`. */
export const make = (
  name: string,
  config: TrustPolicyConfig,
  flows: ReadonlyArray<ServedFlow>,
  sockets: Readonly<Record<string, SocketConfig>>
): Result.Result<TrustPolicy, FederationError> =>
  Result.gen(function* () {
    const { issuer, jwksUri, mode = "forward", socket } = config
    const setting = `broker.tokenExchange.policies.${name}`
    const refuse = (key: string, problem: string, hint: string) =>
      Result.fail(misconfigured(`${setting}.${key}`, problem, hint))
    if (!policyName.test(name)) {
      return yield* Result.fail(
        misconfigured(
          "broker.tokenExchange.policies",
          `"${name}" is no name for a policy`,
          "Begin with a letter; letters, digits, dots, dashes and underscores may follow, 63 in all."
        )
      )
    }
    for (const [key, url] of Object.entries({ issuer, jwksUri })) {
      if (url === undefined) continue
      yield* Result.mapError(endpoint(key, url), ({ hint, problem }) =>
        misconfigured(`${setting}.${key}`, `"${url}" ${problem}`, hint)
      )
    }
    if (socket !== undefined && !Object.hasOwn(sockets, socket)) {
      return yield* refuse(
        "socket",
        `names no socket: "${socket}"`,
        `The sockets here are ${Object.keys(sockets).join(", ") || "none"}; add it under broker.sockets.`
      )
    }
    const audiences = list(config.audience)
    if (audiences.length === 0) {
      return yield* refuse(
        "audience",
        "names no audience",
        "Name the one that the assertions are for."
      )
    }
    const algorithms = config.algorithms ?? known
    if (algorithms.length === 0 || !algorithms.every((each) => known.includes(each))) {
      return yield* refuse(
        "algorithms",
        `lists ${algorithms.join(", ") || "none"}`,
        `The algorithms that can be verified are ${known.join(", ")}.`
      )
    }
    if (isBlank(config.subject)) {
      return yield* refuse(
        "subject",
        `"${config.subject}" is wildcards alone: every subject of the issuer would be trusted, other tenants' too`,
        "Write out at least the part of the subject that is your own, such as repo:my-organization/my-repository:*."
      )
    }
    const claims = Object.entries(config.claims ?? {}).map(
      ([claim, each]) => [claim, list(each)] as const
    )
    const all = [
      ["subject", [config.subject]] as const,
      ...claims.map(([claim, each]) => [`claims.${claim}`, each] as const)
    ]
    for (const [key, patterns] of all) {
      if (patterns.length === 0) {
        return yield* refuse(key, "has no pattern", "Give one; ** takes whatever value is there.")
      }
      if (patterns.some(({ length }) => length > maximumPattern)) {
        return yield* refuse(
          key,
          `has a pattern of more than ${maximumPattern} characters`,
          "Shorten it by wildcards."
        )
      }
    }
    if (config.flows.length === 0) {
      return yield* refuse("flows", "names no flow", "Name the flows whose tokens it gives.")
    }
    const served = yield* Result.all(
      config.flows.map((each) => named(flows, `${setting}.flows`, each, "AccessToken"))
    )
    const flowsByName = new Map<string, Granted>()
    for (const { flow, over } of served) {
      if (mode === "forward" && over === undefined) {
        return yield* refuse(
          "flows",
          `the flow "${flow.name}" cannot trade an assertion that is not its own`,
          "Say mode: flow to hand out the flow's own credential, or name a flow that can."
        )
      }
      flowsByName.set(flow.name, { flow, over: mode === "forward" ? over : undefined })
    }
    const demands = [
      audience(audiences),
      demand("sub", [config.subject], (value) => (typeof value === "string" ? [value] : [])),
      ...claims.map(([claim, each]) => demand(claim, each, texts))
    ]
    return {
      name,
      issuer,
      jwksUri,
      algorithms,
      scopes: new Set(config.scopes),
      socket,
      flows: flowsByName,
      problem: (assertion) => {
        const { algorithm = "" } = assertion
        if (!algorithms.includes(algorithm)) {
          return `alg is ${algorithm}, and must be ${algorithms.join(" or ")}`
        }
        for (const each of demands) {
          const problem = each(assertion)
          if (problem !== undefined) return problem
        }
        return undefined
      }
    }
  })

/** Never like a number: those would not stay in the file's order. */
const policyName = /^[A-Za-z][\w.-]{0,62}$/

const list = (oneOrMore: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof oneOrMore === "string" ? [oneOrMore] : oneOrMore

type Demand = (assertion: Assertion.Assertion) => string | undefined

const audience =
  (accepted: ReadonlyArray<string>): Demand =>
  (assertion) =>
    accepted.some((each) => assertion.audience.includes(each))
      ? undefined
      : `aud is ${shown(assertion.claims["aud"])}, and must hold ${quoted(accepted)}`

const demand = (
  claim: string,
  patterns: ReadonlyArray<string>,
  read: (value: unknown) => ReadonlyArray<string>
): Demand => {
  const fits = patterns.map(pattern)
  return ({ claims }) => {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
    return read(value).some((text) => fits.some((fit) => fit(text)))
      ? undefined
      : `${claim} is ${shown(value)}, and must match ${quoted(patterns)}`
  }
}

/** What a claim says, as texts: numbers and booleans too, and each element of a list. */
const texts = (value: unknown): ReadonlyArray<string> =>
  (Array.isArray(value) ? value : [value])
    .filter((each) => ["string", "number", "boolean"].includes(typeof each))
    .map(String)

const quoted = (accepted: ReadonlyArray<string>): string =>
  accepted.map((each) => `"${each}"`).join(" or ")

/** In characters. */
const longestShown = 200

const shown = (value: unknown): string => {
  if (value === undefined) return "absent"
  const text = publicText(JSON.stringify(value))
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}
