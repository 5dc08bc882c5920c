/** One request to a token endpoint (RFC 6749 §4), made by openid-client over the guarded fetch. */
import { Malformed } from "@federate/core"
import type { AccessToken, Reason } from "@federate/core"
import { exchange, isLoopback, json, platformFetch } from "@federate/http"
import type { Fault, Fetch, HttpAnswer } from "@federate/http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as OpenId from "openid-client"
import { read } from "./tokenAnswer.ts"
import type { Refusal } from "./tokenAnswer.ts"

/** How a server wants a request written. */
export interface Writing {
  /** RFC 6749 knows the form alone. Default `form`. */
  readonly body?: "form" | "json" | undefined
  /** What the server calls a parameter, or a field of its answer, by the standard's name. */
  readonly names?: Readonly<Record<string, string>> | undefined
}

export interface Grant extends Writing {
  readonly issuer?: string | undefined
  readonly tokenEndpoint: string
  readonly clientId?: string | undefined
  readonly authenticate: OpenId.ClientAuth
  readonly grantType: string
  readonly parameters: URLSearchParams
  /** What an error answer means with this server. */
  readonly refused: (refusal: Refusal) => Reason
  /** How long a token lives where the answer does not say, in milliseconds. Default: it must say. */
  readonly life?: number | undefined
  readonly fetch?: Fetch | undefined
}

/** Makes the request, once. */
export const grant = Effect.fnUntraced(function* (
  request: Grant
): Effect.fn.Return<AccessToken, Reason> {
  const clock = yield* Clock.Clock
  const outcome = yield* Effect.promise((signal) =>
    ask(request, signal, () => clock.currentTimeMillisUnsafe())
  )
  const answer = yield* Effect.fromResult(outcome.answer)
  const asked = request.parameters.get("scope") ?? undefined
  const credential = yield* Effect.fromResult(read(answer, asked, request.refused, request.life))
  if (outcome.conforms) return credential
  return yield* Effect.fail(
    new Malformed({ detail: "The token endpoint's answer is not what RFC 6749 §5.1 says" })
  )
})

interface Outcome {
  readonly answer: Result.Result<HttpAnswer, Fault>
  /** Whether the OAuth library takes it for a success. */
  readonly conforms: boolean
}

/** A client without an id is told to the library alone. */
const unnamed = "-"

/** The library's errors hold bodies: none leaves this function. */
const ask = async (
  {
    authenticate,
    body: form = "form",
    clientId = unnamed,
    fetch = platformFetch,
    grantType,
    issuer,
    names = {},
    parameters,
    tokenEndpoint
  }: Grant,
  signal: AbortSignal,
  now: () => number
): Promise<Outcome> => {
  let answer: Result.Result<HttpAnswer, Fault> | undefined
  // One for each call: a grant takes no signal, its configuration's fetch does.
  const config = new OpenId.Configuration(
    { issuer: issuer ?? tokenEndpoint, token_endpoint: tokenEndpoint },
    clientId,
    undefined,
    authenticate
  )
  // Its own timer would be a real one, beside the flow's clock.
  config.timeout = 0
  if (isLoopback(new URL(tokenEndpoint).hostname)) OpenId.allowInsecureRequests(config)
  config[OpenId.customFetch] = async (url, { body, headers, method }) => {
    const named = renamed(new URLSearchParams(String(body)), names)
    const written =
      form === "json"
        ? { body: asJson(named), headers: { ...headers, "content-type": "application/json" } }
        : { body: named.toString(), headers }
    const told = await exchange(fetch, url, { ...written, method, signal }, now)
    answer = Result.map(told, (each) => standard(each, names))
    if (Result.isFailure(answer)) return Response.error()
    return new Response(answer.success.body, answer.success)
  }
  const conforms = await OpenId.genericGrantRequest(config, grantType, parameters).then(
    () => true,
    () => false
  )
  return {
    answer: answer ?? Result.fail(new Malformed({ detail: "The token request could not be made" })),
    conforms
  }
}

const renamed = (parameters: URLSearchParams, names: NonNullable<Writing["names"]>) =>
  new URLSearchParams(
    [...parameters].map(([name, value]): [string, string] => [names[name] ?? name, value])
  )

/** What may be said several times is a list when it is. */
const asJson = (parameters: URLSearchParams): string =>
  JSON.stringify(
    Object.fromEntries(
      [...new Set(parameters.keys())].map((name) => {
        const values = parameters.getAll(name)
        return [name, values.length === 1 ? values[0] : values]
      })
    )
  )

/** An answer whose fields have the standard's names. */
const standard = (answer: HttpAnswer, names: NonNullable<Writing["names"]>): HttpAnswer => {
  const body = json(answer)
  if (body === undefined || Object.keys(names).length === 0) return answer
  const theirs = Object.entries(names).filter(([, theirName]) => Object.hasOwn(body, theirName))
  const fields = Object.fromEntries(theirs.map(([name, theirName]) => [name, body[theirName]]))
  return { ...answer, body: new TextEncoder().encode(JSON.stringify({ ...body, ...fields })) }
}
