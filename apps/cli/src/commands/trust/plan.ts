/** `federate trust plan`: what there is to do, on both sides, and nothing done. */
import { plan as read } from "@federate/trust"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { asJson, isSettled, planned } from "../../changes.ts"
import { report, Stopped } from "../../report.ts"
import { root } from "../../root.ts"
import { out } from "../../style.ts"
import { open, trustFlags } from "../../trustSetUp.ts"

export const plan = Command.make(
  "plan",
  trustFlags,
  Effect.fn(function* ({ json, ...asked }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { definition, parts } = yield* open(config, asked)
      const changes = yield* read(parts, definition.known)
      yield* Console.log(
        json
          ? JSON.stringify(
              { flow: asked.flow, settled: isSettled(changes), changes: changes.map(asJson) },
              null,
              2
            )
          : planned(changes, out).join("\n")
      )
      if (changes.some(({ action }) => action === "unknown")) return yield* new Stopped({ code: 1 })
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Read both halves of a flow's trust, and print what would be made or changed; nothing is"
  ),
  Command.withExamples([
    {
      command:
        'federate trust plan graph --admin-token-command "az account get-access-token --resource-type ms-graph --query accessToken -o tsv"',
      description: "With your own rights on both sides"
    }
  ])
)
