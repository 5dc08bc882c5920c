/** The API, served: what its routes are handed to when the first request comes. */
import type { AccessToken, AwsCredentials, TokenRequest } from "@federate/core"
import { Flow } from "@federate/core"
import { publicText } from "@federate/http"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { answer, problem, refusal } from "../Answer.ts"
import type { Answer, Refusal } from "../Answer.ts"
import { handedOf } from "../Audit.ts"
import { fetched } from "../Protocol.ts"
import type { Call } from "../Route.ts"
import type { Secret } from "../Secret.ts"
import { tokenRequest } from "../ServedFlow.ts"
import type { ServedFlow } from "../ServedFlow.ts"
import { Api } from "./Api.ts"
import { Asked, refuse } from "./Asked.ts"
import { authorization } from "./Authorization.ts"
import { write } from "./Credential.ts"
import { tell } from "./Flows.ts"

export interface Options {
  /** The flows of one way in. */
  readonly flows: ReadonlyArray<ServedFlow>
  readonly secret: Secret
  readonly clock: Clock.Clock
}

/** Answers requests for as long as the scope is open. */
export const serve = ({
  clock,
  flows,
  secret
}: Options): Effect.Effect<(call: Call) => Effect.Effect<Answer>, never, Scope.Scope> => {
  const now = (): number => clock.currentTimeMillisUnsafe()

  const handlers = HttpApiBuilder.group(Api, "flows", (api) =>
    api.handleAll({
      flows: () => Effect.sync(() => tell(flows, now())),
      credential: ({ params, query: { audience = "", scope = [] } }) =>
        Effect.gen(function* () {
          const served = flows.find(({ flow }) => flow.name === params.flow)
          if (served === undefined) return yield* refuse(unknown(params.flow, flows))
          // A flow issues one kind of credential; which one does not matter here.
          const flow = served.flow as Flow.Flow<AccessToken | AwsCredentials>
          const scopes = scope.flatMap((each) => each.split(" ")).filter((each) => each !== "")
          const request: TokenRequest.TokenRequest = {
            ...tokenRequest(served, scopes),
            ...(audience !== "" && { audience })
          }
          const question = { flow, request, scope: [...scopes, audience].join(" ").trim() }
          const credential = Flow.current(flow, request) ?? (yield* fetched("api", question, clock))
          const asked = yield* Asked
          asked.handed = handedOf(credential, {
            protocol: "api",
            flow: flow.name,
            scope: question.scope
          })
          return write(credential, now())
        }).pipe(Effect.catch(refuse))
    })
  )

  const app = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide(handlers),
    Layer.provide(authorization(secret)),
    Layer.provide(HttpServer.layerServices)
  )

  return Effect.map(HttpRouter.toHttpEffect(app), (http) => (call) => {
    if (!known.test(call.path)) return Effect.succeed(problem(nowhere))
    const asked: Asked = { headers: call.headers }
    return http.pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, requestOf(call)),
      Effect.provideService(Asked, asked),
      Effect.scoped,
      Effect.flatMap((response) =>
        asked.refused === undefined
          ? Effect.map(answerOf(response), (answered) => ({
              ...answered,
              ...(asked.handed !== undefined && { handed: asked.handed })
            }))
          : Effect.succeed(problem(asked.refused))
      ),
      // The one error that is left: no route.
      Effect.catch(() => Effect.succeed(problem(nowhere))),
      Effect.catchDefect((defect) =>
        HttpApiError.HttpApiSchemaError.is(defect)
          ? Effect.succeed(problem(unreadable(defect)))
          : Effect.die(defect)
      )
    )
  })
}

/** Paths are exact here too: URLs and the router read more than one way of writing them (`..`, `//`, `;`, `%2e`). */
const known =
  /^\/(?:openapi\.json|v1\/flows(?:\/(?!(?:\.|%2[eE]){1,2}\/)[^/\\;#]+\/credential)?)\/?$/

const unreadable = ({ cause }: HttpApiError.HttpApiSchemaError): Refusal =>
  refusal(
    "invalid_request",
    `The query cannot be read: ${cause.message.replace(/\s+/g, " ")}. The document at /openapi.json tells what is taken.`
  )

const nowhere = refusal(
  "not_found",
  "Nothing is served at this path. The document at /openapi.json tells what is."
)

const unknown = (name: string, flows: ReadonlyArray<ServedFlow>): Refusal =>
  refusal(
    "not_found",
    `There is no flow "${publicText(name)}" here. ${
      flows.length === 0
        ? "This way in serves none."
        : `The flows are ${flows.map(({ flow }) => flow.name).join(", ")}.`
    }`
  )

/** Path and query alone: what the headers say has been read by then, and stands in no span. */
const requestOf = ({ path, query }: Call): HttpServerRequest.HttpServerRequest =>
  HttpServerRequest.fromWeb(new Request(`http://broker${path}${query === "" ? "" : `?${query}`}`))

const answerOf = (response: HttpServerResponse.HttpServerResponse): Effect.Effect<Answer> =>
  Effect.promise(async () => {
    const web = HttpServerResponse.toWeb(response)
    return answer(
      web.status,
      web.headers.get("Content-Type") ?? "application/json",
      await web.text()
    )
  })
