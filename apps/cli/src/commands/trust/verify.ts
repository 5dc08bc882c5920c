/** `federate trust verify`: whether both halves are as they should be, and a real exchange succeeds. */
import { plan } from "@federate/trust"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { asJson, isSettled, planned } from "../../changes.ts"
import { report, Stopped } from "../../report.ts"
import { root } from "../../root.ts"
import { out } from "../../style.ts"
import { printTime } from "../../time.ts"
import { open, proof, trustFlags, unproved } from "../../trustSetUp.ts"

export const verify = Command.make(
  "verify",
  trustFlags,
  Effect.fn(function* ({ json, ...asked }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { definition, parts } = yield* open(config, asked)
      const changes = yield* plan(parts, definition.known)
      if (!json) yield* Console.log(planned(changes, out).join("\n"))
      const settled = isSettled(changes)
      const known = Object.assign({}, definition.known, ...changes.map((change) => change.known))
      const proved = settled
        ? yield* proof(config, { definition, parts, known, waits: false })
        : Option.none()
      if (json) {
        const changed = changes.map(asJson)
        yield* Console.log(
          JSON.stringify(
            { flow: asked.flow, settled, proved: Option.isSome(proved), changes: changed },
            null,
            2
          )
        )
      } else if (Option.isSome(proved)) {
        yield* Console.log(
          `A real exchange succeeded: valid until ${printTime(proved.value.expiresAt)}.`
        )
      } else if (settled) {
        yield* Console.log(unproved(asked.flow))
      }
      if (!settled) return yield* new Stopped({ code: 1 })
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Check that both halves of a flow's trust are as they should be, and that a real exchange succeeds"
  ),
  Command.withExamples([
    {
      command: "federate trust verify graph --admin-flow admin",
      description: "With the token of another flow"
    }
  ])
)
