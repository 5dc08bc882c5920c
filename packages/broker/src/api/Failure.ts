/** Why a flow failed, described. */
import * as Schema from "effect/Schema"
import type * as failure from "../failure.ts"

export const Failure = Schema.Struct({
  stage: Schema.Literals(["configuration", "assertion", "exchange"]).annotate({
    description: "Where in the flow it failed"
  }),
  adapter: Schema.String.annotate({
    description: "The source, exchanger or flow that tells it"
  }),
  reason: Schema.Literals([
    "Unavailable",
    "Misconfigured",
    "Rejected",
    "Transient",
    "Malformed"
  ]).annotate({ description: "What kind of failure it is" }),
  code: Schema.optionalKey(
    Schema.String.annotate({ description: "The other side's own code", examples: ["AADSTS700213"] })
  ),
  description: Schema.String.annotate({ description: "What was wrong" }),
  hint: Schema.optionalKey(Schema.String.annotate({ description: "What to do" }))
}).annotate({ identifier: "Failure", description: "Why a flow brought no credential" })

Failure satisfies Schema.Codec<failure.Failure>
