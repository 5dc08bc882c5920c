/** Settings that several sources have in a config file. */
import * as Schema from "effect/Schema"

/** Of a source that can choose. */
export const audience = Schema.optionalKey(
  Schema.String.annotate({
    description:
      "Whom the assertion is for where the relying party demands nobody; without it, whom the relying party prefers"
  })
)

/** A text that may be left out. */
export const optionalText = (description: string) =>
  Schema.optionalKey(Schema.String.annotate({ description }))

/** A secret text that may be left out. */
export const optionalSecret = (description: string) =>
  Schema.optionalKey(Schema.RedactedFromValue(Schema.String.annotate({ description })))
