/** `federate trust destroy`: removes what bears the flow's mark. */
import { destroy as remove, planRemoval } from "@federate/trust"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { asJson, planned, told } from "../../changes.ts"
import { consent } from "../../consent.ts"
import { report } from "../../report.ts"
import { root } from "../../root.ts"
import { err } from "../../style.ts"
import { open, trustFlags, yesFlag } from "../../trustSetUp.ts"

export const destroy = Command.make(
  "destroy",
  { ...trustFlags, yes: yesFlag },
  Effect.fn(function* ({ json, yes, ...asked }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { definition, parts } = yield* open(config, asked)
      const found = yield* planRemoval(parts, definition.known)
      if (Result.isFailure(found)) {
        yield* Console.error("Nothing was removed on either side.")
        return yield* found.failure.error
      }
      const changes = found.success
      if (changes.length === 0) yield* Console.error("There is nothing to remove.")
      else yield* Console.error(planned(changes, err).join("\n"))
      if (changes.some(({ action }) => action === "remove")) {
        yield* consent(yes, "Remove these?")
        const outcome = yield* remove(parts, definition.known, told)
        if (Result.isFailure(outcome)) {
          yield* Console.error(
            `${err("red")("✗")} It was broken off: what is told above is gone, the rest is there. Run the same again: it goes on where it stopped.`
          )
          return yield* outcome.failure.error
        }
      }
      if (json) {
        yield* Console.log(
          JSON.stringify({ flow: asked.flow, changes: changes.map(asJson) }, null, 2)
        )
      }
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Remove what `apply` has made for a flow, last made first; what does not bear its mark is kept, and told"
  ),
  Command.withExamples([
    { command: "federate trust destroy graph --admin-flow admin", description: "Lists, and asks" }
  ])
)
