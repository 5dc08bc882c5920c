/** The JSON Schema (draft 2020-12) of a config file, for editors. */
import * as Schema from "effect/Schema"
import type { Sections } from "./Config.ts"
import type { Settings } from "./decode.ts"
import type { Adapters } from "./FlowDefinition.ts"
import { Claims } from "./TrustDefinition.ts"
import type { TrustSides } from "./TrustDefinition.ts"
import { Refresh, Retry } from "./policies.ts"

/** Made of the same schemas that decode the file, so that the two cannot disagree. */
export const jsonSchema = (
  adapters: Adapters<never>,
  sections: Sections = {},
  sides?: TrustSides<never>
): Readonly<Record<string, unknown>> => {
  const typed = (each: {
    readonly type: string
    readonly description: string
    readonly config: Settings<unknown>
  }) =>
    Schema.Struct({ type: Schema.Literal(each.type), ...each.config.fields }).annotate({
      description: each.description
    })
  const flow = Schema.Struct({
    flow: Schema.String.annotate({
      description: "The name of a flow whose credential, a token, is the assertion"
    })
  }).annotate({ description: "Another flow of this file" })
  /** One of these, or a list of which the first that exists is taken. */
  const oneOf = (sources: ReadonlyArray<Schema.Decoder<unknown>>) => {
    const one = Schema.Union([...sources, flow])
    return Schema.Union([one, Schema.Array(one).check(Schema.isMinLength(1))])
  }
  const plain = adapters.sources.filter((each) => !("layer" in each)).map(typed)
  const layered = (each: Parameters<typeof typed>[0]) =>
    typed({
      ...each,
      config: Schema.Struct({
        ...each.config.fields,
        source: oneOf(plain).annotate({ description: "The source that it is over" })
      })
    })
  const Flow = Schema.Struct({
    source: oneOf(
      adapters.sources.map((each) => ("layer" in each ? layered(each) : typed(each)))
    ).annotate({
      description: "Where the assertion comes from; of several the first that exists is taken"
    }),
    exchanger: Schema.optionalKey(
      Schema.Union(adapters.exchangers.map(typed)).annotate({
        description: "What it is traded for; without one the flow hands out the assertion"
      })
    ),
    retry: Schema.optionalKey(Retry),
    refresh: Schema.optionalKey(Refresh)
  })
  const document = Schema.toJsonSchemaDocument(
    Schema.Struct({
      flows: Schema.Record(Schema.String, Flow).annotate({ description: "The flows, by name" }),
      ...(sides !== undefined && {
        trust: Schema.optionalKey(
          Schema.Record(Schema.String, trust(sides)).annotate({
            description: "What `federate trust` sets up for each flow, by the flow's name"
          })
        )
      }),
      ...Object.fromEntries(
        Object.entries(sections).map(([name, schema]) => [
          name,
          Schema.optionalKey(Schema.Struct(schema.fields))
        ])
      )
    }),
    { onExcessProperty: "error" }
  )
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "federate.yaml",
    ...document.schema,
    ...(Object.keys(document.definitions).length > 0 && { $defs: document.definitions })
  }
}

const trust = (sides: TrustSides<never>) => {
  const names = (half: TrustSides<never>["sources"]) =>
    Schema.optionalKey(
      Schema.Union(half.map((each) => Schema.Struct(each.names.fields))).annotate({
        description: "The few names that must be chosen there; all have defaults"
      })
    )
  return Schema.Struct({
    source: names(sides.sources),
    exchanger: names(sides.exchangers),
    assertion: Schema.optionalKey(Claims)
  })
}
