/**
 * Token exchange (RFC 8693): a caller's own assertion, trusted by a policy, for a flow's access token; and the metadata
 * of the authorization server that this is (RFC 8414).
 */
import { Assertion } from "@federate/core"
import type { AccessToken, FederationError } from "@federate/core"
import { endpoint, publicText } from "@federate/http"
import type { Fetch } from "@federate/http"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { isRefusal, json, refusal, refusalOf } from "../Answer.ts"
import type { Refusal } from "../Answer.ts"
import { handedOf } from "../Audit.ts"
import type { BrokerConfig } from "../BrokerConfig.ts"
import * as forwarded from "../forwarded.ts"
import { patience } from "../limits.ts"
import { oauthRefusal } from "../oauth.ts"
import { isScope, parameters } from "../parameters.ts"
import { posted } from "../posted.ts"
import * as Protocol from "../Protocol.ts"
import type { Route } from "../Route.ts"
import { misconfigured } from "../ServedFlow.ts"
import type { ServedFlow } from "../ServedFlow.ts"
import * as TrustPolicy from "../TrustPolicy.ts"
import * as verifier from "../verifier.ts"

const paths = {
  token: "/oauth2/token",
  metadata: "/.well-known/oauth-authorization-server"
} as const

const name = "token-exchange"

const grantType = "urn:ietf:params:oauth:grant-type:token-exchange"

const types = {
  accessToken: "urn:ietf:params:oauth:token-type:access_token",
  idToken: "urn:ietf:params:oauth:token-type:id_token",
  jwt: "urn:ietf:params:oauth:token-type:jwt"
} as const

interface Options {
  readonly flows: ReadonlyArray<ServedFlow>
  readonly config: BrokerConfig
  readonly clock: Clock.Clock
  /** For the issuers' keys. Default: the platform's. */
  readonly fetch: Fetch | undefined
}

/**
 * The routes of a way in; none where no policy is served.
 *
 * @param socket its name; loopback without one
 */
type Routes = (socket: string | undefined) => ReadonlyArray<readonly [string, Route]>

/**
 * Reads the policies. What they remember, issuers' keys and flows over callers' assertions, is one for all ways in, and
 * lives in this scope. A policy that can never work is `Misconfigured`.
 */
export const make = Effect.fnUntraced(function* ({
  clock,
  config: { sockets = {}, tokenExchange },
  fetch,
  flows
}: Options): Effect.fn.Return<Routes, FederationError, Scope.Scope> {
  if (tokenExchange === undefined) return () => []
  yield* Effect.fromResult(checkIssuer(tokenExchange.issuer))
  const policies = yield* Effect.fromResult(
    Result.all(
      Object.entries(tokenExchange.policies).map(([policy, config]) =>
        TrustPolicy.make(policy, config, flows, sockets)
      )
    )
  )
  const verify = yield* verifier.make(policies, fetch)
  const forward = yield* forwarded.make

  /** The flow that a caller gets its token from: over its own assertion, or as it is. */
  const trusted = Effect.fnUntraced(function* (
    served: ReadonlyArray<TrustPolicy.TrustPolicy>,
    asked: Asked
  ) {
    const { assertion } = asked
    const candidates = yield* Effect.fromResult(candidatesFor(served, asked))
    yield* verify(assertion, [...new Set(candidates.flatMap(({ algorithms }) => algorithms))])
    const { granted, policy } = yield* Effect.fromResult(choose(candidates, asked))
    const foreign = asked.scopes.find((scope) => !policy.scopes.has(scope))
    if (foreign !== undefined) {
      return yield* Effect.fail(
        refusal(
          "invalid_scope",
          `The policy ${policy.name} lets nobody ask for the scope ${foreign}. It lets ask for ${[...policy.scopes].join(", ") || "none: leave scope out"}.`
        )
      )
    }
    const { flow, over } = granted
    if (over === undefined) return flow
    return yield* Effect.mapError(forward(policy.name, over, flow.name, assertion), (error) =>
      refusalOf(error, clock.currentTimeMillisUnsafe())
    )
  })

  const exchange = Effect.fnUntraced(function* (
    served: ReadonlyArray<TrustPolicy.TrustPolicy>,
    query: string
  ) {
    const began = clock.monotonicTimeNanosUnsafe()
    const asked = yield* Effect.fromResult(read(query, clock.currentTimeMillisUnsafe()))
    const flow = yield* Effect.timeoutOrElse(trusted(served, asked), {
      duration: patience,
      orElse: () => Effect.fail(keysMissing)
    })
    const scope = asked.scopes.join(" ")
    const request = asked.scopes.length === 0 ? {} : { scopes: asked.scopes }
    const spent = Number(clock.monotonicTimeNanosUnsafe() - began) / 1e6
    const left = Math.max(0, patience - spent)
    const credential = yield* Protocol.fetched(name, { flow, request, scope }, clock, left)
    const issued = credential.issuedTokenType ?? types.accessToken
    if (asked.type !== undefined && asked.type !== issued) {
      return yield* Effect.fail(
        refusal(
          "invalid_request",
          `The flow ${flow.name} issues ${issued}, not what requested_token_type asks for. Leave it out.`
        )
      )
    }
    const { issuer = "", subject = "" } = asked.assertion
    return {
      ...json(200, body(credential, issued, clock.currentTimeMillisUnsafe()), [
        "Pragma",
        "no-cache"
      ]),
      handed: {
        ...handedOf(credential, { protocol: name, flow: flow.name, scope }),
        subject: publicText(`${issuer} ${subject}`)
      }
    }
  })

  return (socket) => {
    const served = policies.filter((policy) => policy.socket === socket)
    if (served.length === 0) return []
    const token = posted({
      protocol: name,
      method: "POST",
      refuse: oauthRefusal,
      handle: ({ query }) =>
        exchange(served, query).pipe(
          Effect.catch((refused) => Effect.succeed(oauthRefusal(refused)))
        )
    })
    return [
      [paths.token, token],
      [paths.metadata, metadata(tokenExchange.issuer)]
    ]
  }
})

const keysMissing = refusal(
  "unavailable",
  "The keys of the subject_token's issuer are being fetched. Ask again in a second.",
  1
)

/** What a request asks for, once it is understood. */
interface Asked {
  /** Not verified yet. */
  readonly assertion: Assertion.Assertion
  readonly flow: string | undefined
  readonly scopes: ReadonlyArray<string>
  readonly type: string | undefined
}

/** @param now epoch milliseconds */
const read = (query: string, now: number): Result.Result<Asked, Refusal> =>
  Result.gen(function* () {
    const refuse = (code: Refusal["code"], message: string) => Result.fail(refusal(code, message))
    const given = parameters(query, new Map([["subject_token", Assertion.maximumSize]]))
    if (isRefusal(given)) return yield* Result.fail(given)
    // RFC 6749 §3.1: what has no value is not there.
    const one = (parameter: string) => given.get(parameter) || undefined
    const needed = (parameter: string) => {
      const value = one(parameter)
      return value === undefined
        ? refuse("invalid_request", `The parameter ${parameter} is missing.`)
        : Result.succeed(value)
    }
    if ((yield* needed("grant_type")) !== grantType) {
      return yield* refuse("unsupported_grant_type", `The grant_type must be ${grantType}.`)
    }
    const token = yield* needed("subject_token")
    const type = yield* needed("subject_token_type")
    if (type !== types.jwt && type !== types.idToken) {
      return yield* refuse(
        "invalid_request",
        `The subject_token_type must be ${types.jwt} or ${types.idToken}.`
      )
    }
    const wanted = one("requested_token_type")
    if (wanted !== undefined && wanted !== types.accessToken && wanted !== types.jwt) {
      return yield* refuse(
        "invalid_request",
        `The requested_token_type must be ${types.accessToken}; or leave it out.`
      )
    }
    if (one("actor_token") !== undefined || one("actor_token_type") !== undefined) {
      return yield* refuse(
        "invalid_request",
        "An actor_token is not taken: nobody acts for another here."
      )
    }
    if (one("resource") !== undefined) {
      return yield* refuse(
        "invalid_target",
        "A resource is not taken. Name a flow by audience, and a resource's own scope by scope."
      )
    }
    const scopes = (one("scope") ?? "").split(" ").filter((scope) => scope !== "")
    if (!scopes.every(isScope)) {
      return yield* refuse(
        "invalid_scope",
        "The parameter scope holds characters that a scope cannot have."
      )
    }
    const assertion = yield* Result.mapError(
      Assertion.fromJwt(Redacted.make(token), { obtainedAt: now }),
      ({ detail }) => refusal("invalid_request", `The subject_token is not believed: ${detail}.`)
    )
    return { assertion, flow: one("audience"), scopes, type: wanted }
  })

/** The policies that may trust an assertion, by what is known before it is verified. */
const candidatesFor = (
  policies: ReadonlyArray<TrustPolicy.TrustPolicy>,
  { assertion: { issuer }, flow }: Asked
): Result.Result<ReadonlyArray<TrustPolicy.TrustPolicy>, Refusal> => {
  const byIssuer = policies.filter((policy) => policy.issuer === issuer)
  if (byIssuer.length === 0) {
    return Result.fail(
      refusal(
        "invalid_request",
        `No policy here trusts the subject_token's issuer, ${issuer === undefined ? "which it does not name" : publicText(issuer).slice(0, longestIssuer)}. Policies stand under broker.tokenExchange.policies.`
      )
    )
  }
  const candidates = byIssuer.filter(({ flows }) => flow === undefined || flows.has(flow))
  return candidates.length === 0
    ? Result.fail(
        refusal(
          "invalid_target",
          "No policy for the subject_token's issuer gives tokens of the flow that audience names."
        )
      )
    : Result.succeed(candidates)
}

/** How much of an issuer that is not known is repeated, in characters. */
const longestIssuer = 200

/** The first policy that trusts an assertion, now verified, with the one flow that it can get. */
const choose = (
  candidates: ReadonlyArray<TrustPolicy.TrustPolicy>,
  { assertion, flow }: Asked
): Result.Result<
  { readonly policy: TrustPolicy.TrustPolicy; readonly granted: TrustPolicy.Granted },
  Refusal
> => {
  const problems = candidates.map((policy) => [policy, policy.problem(assertion)] as const)
  const fitting = problems.filter(([, problem]) => problem === undefined).map(([policy]) => policy)
  if (fitting.length === 0) {
    const told = problems.map(([policy, problem]) => `${policy.name}: ${problem}.`).join(" ")
    return Result.fail(
      refusal("invalid_request", publicText(`No policy trusts the subject_token. ${told}`))
    )
  }
  const served = new Map(
    // The first policy of each flow is put in last, and stays.
    fitting
      .toReversed()
      .flatMap((policy) =>
        [...policy.flows]
          .filter(([each]) => flow === undefined || each === flow)
          .map(([each, granted]) => [each, { policy, granted }] as const)
      )
  )
  const [only, ...more] = served.values()
  return only === undefined || more.length > 0
    ? Result.fail(
        refusal(
          "invalid_request",
          `Say by audience which flow is meant: ${[...served.keys()].join(", ")}.`
        )
      )
    : Result.succeed(only)
}

/** RFC 8693 §2.2.1. */
const body = (
  { expiresAt, scopes, token, tokenType }: AccessToken,
  issued: string,
  now: number
) => ({
  access_token: Redacted.value(token),
  issued_token_type: issued,
  token_type: tokenType,
  expires_in: Math.max(0, Math.floor((expiresAt - now) / 1000)),
  ...(scopes !== undefined && { scope: scopes.join(" ") })
})

/** RFC 8414 §2: no client registers, and there is no other endpoint. */
const metadata = (issuer: string | undefined): Route => ({
  protocol: name,
  method: "GET",
  refuse: oauthRefusal,
  handle: ({ headers }) => {
    const origin = issuer ?? `http://${headers.host ?? "localhost"}`
    return json(200, {
      issuer: origin,
      token_endpoint: `${origin}${paths.token}`,
      grant_types_supported: [grantType],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ["none"]
    })
  }
})

/** An origin: clients look for the metadata right below it. */
const checkIssuer = (issuer: string | undefined): Result.Result<void, FederationError> => {
  if (issuer === undefined) return Result.void
  const setting = "broker.tokenExchange.issuer"
  const checked = endpoint(setting, issuer)
  if (Result.isFailure(checked)) {
    const { hint, problem } = checked.failure
    return Result.fail(misconfigured(setting, `"${issuer}" ${problem}`, hint))
  }
  return checked.success.origin === issuer
    ? Result.void
    : Result.fail(
        misconfigured(
          setting,
          `"${issuer}" is more than an origin`,
          `Write ${checked.success.origin}: nothing is served below a path.`
        )
      )
}
