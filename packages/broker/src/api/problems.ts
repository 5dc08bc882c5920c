/** How the API says no: problems (RFC 9457), described by status. */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Failure } from "./Failure.ts"

/** What `problem` of `../Answer.ts` writes. */
const Problem = Schema.Struct({
  type: Schema.Literal("about:blank"),
  title: Schema.String.annotate({ description: "The status in words" }),
  status: Schema.Int.annotate({ description: "The status" }),
  detail: Schema.String.annotate({ description: "What was wrong, and what to do" }),
  stage: Schema.optionalKey(Failure.fields.stage),
  adapter: Schema.optionalKey(Failure.fields.adapter),
  reason: Schema.optionalKey(Failure.fields.reason),
  code: Failure.fields.code,
  description: Schema.optionalKey(Failure.fields.description),
  hint: Failure.fields.hint
})
  .annotate({
    identifier: "Problem",
    description: "A problem (RFC 9457); where a flow failed, with the members of its Failure"
  })
  .pipe(HttpApiSchema.asJson({ contentType: "application/problem+json" }))

const described = (
  status: number,
  description: string,
  headers: Readonly<Record<string, Schema.Codec<string>>> = {}
) =>
  HttpApiSchema.WithHeaders(Problem, headers)
    .annotate({ description })
    .pipe(HttpApiSchema.status(status))

export const invalid = described(
  400,
  "The request is wrong; or the other side refused the flow, and will until a person acts"
)
export const unauthorized = described(401, "The broker's secret is missing, or is another one", {
  "www-authenticate": Schema.Literal("Bearer")
})
export const forbidden = described(
  403,
  "The request comes from a web page or through a proxy, or names another host"
)
export const notFound = described(404, "There is no such flow; the ones that there are, are told")
export const unavailable = described(503, "There is nothing yet: ask again", {
  "retry-after": Schema.String.annotate({ description: "Seconds" })
})
