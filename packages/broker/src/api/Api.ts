/** The broker's own API, described: what OpenAPI documents are made of. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { maximumParameter } from "../limits.ts"
import { visible } from "../parameters.ts"
import { Authorization } from "./Authorization.ts"
import { Credential } from "./Credential.ts"
import { Flows } from "./Flows.ts"
import * as problems from "./problems.ts"

const parameter = (pattern: RegExp, expected: string) =>
  Schema.String.check(Schema.isMaxLength(maximumParameter), Schema.isPattern(pattern, { expected }))

const flows = HttpApiEndpoint.get("flows", "/flows", {
  success: Flows,
  error: [problems.invalid, problems.forbidden, problems.unavailable]
}).annotateMerge(
  OpenApi.annotations({
    summary: "What each flow is doing",
    description:
      "The flows that this way in serves, each with its hops, its state, and what it remembers. It needs no secret, and tells none."
  })
)

const credential = HttpApiEndpoint.get("credential", "/flows/:flow/credential", {
  params: { flow: Schema.String.annotate({ description: "The flow's name" }) },
  query: {
    scope: Schema.optionalKey(
      Schema.Array(
        parameter(/^[\x20\x21\x23-\x5B\x5D-\x7E]*$/, "scopes, separated by spaces")
      ).annotate({
        description:
          "Scopes, separated by spaces (RFC 6749 §3.3), or one at a time. Without it, the flow's own"
      })
    ),
    audience: Schema.optionalKey(
      parameter(visible, "text without control or format characters").annotate({
        description:
          "Whom the credential is for; a flow that issues assertions gives one for it. Without it, the flow's own"
      })
    )
  },
  success: Credential,
  error: [
    problems.invalid,
    problems.unauthorized,
    problems.forbidden,
    problems.notFound,
    problems.unavailable
  ]
})
  .middleware(Authorization)
  .annotateMerge(
    OpenApi.annotations({
      summary: "A credential of a flow",
      description:
        "What memory holds, at once; else what the flow fetches within 0.9 s, or 503 while it goes on. Who has the secret may ask each flow of this way in for any scope and audience: the allow-lists of the clouds' protocols are not this API's."
    })
  )

export const Api = HttpApi.make("broker")
  .add(
    HttpApiGroup.make("flows", { topLevel: true })
      .add(flows, credential)
      .annotate(OpenApi.Description, "Flows and their credentials")
  )
  .prefix("/v1")
  .annotateMerge(
    OpenApi.annotations({
      title: "Federate broker",
      version: "1",
      description:
        "The broker's own API, beside the protocols that cloud SDKs speak. Times are RFC 3339 in UTC, spans are seconds. What goes wrong is told as a problem (RFC 9457)."
    })
  )
