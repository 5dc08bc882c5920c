/** `federate schema`: the JSON Schema of the config file. */
import { jsonSchema } from "@federate/config"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { report } from "../report.ts"

export const schema = Command.make(
  "schema",
  {},
  Effect.fn(
    function* () {
      const { adapters, sections, sides } = yield* Effect.promise(
        () => import("@federate/server/adapters")
      )
      yield* Console.log(JSON.stringify(jsonSchema(adapters, sections, sides), null, 2))
    },
    report({ json: false })
  )
).pipe(
  Command.withDescription("Print the JSON Schema of federate.yaml, for editors"),
  Command.withExamples([
    {
      command: "federate schema > federate.schema.json",
      description: "Then name it in the file's first line"
    }
  ])
)
