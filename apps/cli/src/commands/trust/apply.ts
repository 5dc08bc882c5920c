/** `federate trust apply`: makes both halves what they should be, and proves it. */
import { apply as write, plan } from "@federate/trust"
import type { Known } from "@federate/trust"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { asJson, brokenOff, isSettled, planned, told } from "../../changes.ts"
import { consent } from "../../consent.ts"
import { environmentLines, keepIn } from "../../learnt.ts"
import { report, Stopped } from "../../report.ts"
import { root } from "../../root.ts"
import { err } from "../../style.ts"
import { printTime } from "../../time.ts"
import { open, proof, trustFlags, unproved, yesFlag } from "../../trustSetUp.ts"

export const apply = Command.make(
  "apply",
  {
    ...trustFlags,
    yes: yesFlag,
    envFile: Flag.Path("env-file", { typeName: "file" }).pipe(
      Flag.withDescription(
        "Write what has become known into this file as well, in place of what it says of the same variables"
      ),
      Flag.optional
    )
  },
  Effect.fn(function* ({ envFile, json, yes, ...asked }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { definition, parts } = yield* open(config, asked)
      const changes = yield* plan(parts, definition.known)
      yield* Console.error(planned(changes, err).join("\n"))
      if (changes.some(({ action }) => action === "unknown")) {
        yield* Console.error("Nothing was changed on either side.")
        return yield* new Stopped({ code: 1 })
      }
      const settled = isSettled(changes)
      if (!settled) yield* consent(yes, "Make both halves so?")
      // What was read is a while ago: it is read again before each write.
      const outcome = yield* write(parts, definition.known, told)
      if (Result.isFailure(outcome)) {
        yield* Console.error(
          [
            `${err("red")("✗")} It was broken off. By now:`,
            ...brokenOff(parts, outcome.failure),
            "Run the same again: it goes on where it stopped."
          ].join("\n")
        )
        return yield* outcome.failure.error
      }
      const known: Known = outcome.success
      const learned = environmentLines(definition, known)
      if (Option.isSome(envFile)) yield* keepIn(envFile.value, learned)
      if (!json && learned.length > 0)
        yield* Console.log(learned.map(({ line }) => line).join("\n"))
      yield* Console.error("Proving it by a real exchange…")
      const proved = yield* proof(config, { definition, parts, known, waits: true })
      yield* Console.error(
        Option.match(proved, {
          onSome: ({ expiresAt }) =>
            `${err("green")("✓")} A real exchange succeeded: valid until ${printTime(expiresAt)}`,
          onNone: () => `${err("yellow")("?")} ${unproved(asked.flow)}`
        })
      )
      if (json) {
        yield* Console.log(
          JSON.stringify(
            {
              flow: asked.flow,
              changes: changes.map(asJson),
              variables: Object.fromEntries(learned.map(({ name, value }) => [name, value])),
              proved: Option.isSome(proved)
            },
            null,
            2
          )
        )
      }
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Make both halves of a flow's trust, one write at a time, and prove it by a real exchange. What has become known is printed as NAME=value lines"
  ),
  Command.withExamples([
    {
      command: "federate trust apply graph --admin-flow admin",
      description: "Shows the plan, and asks"
    },
    {
      command: "federate trust apply graph --yes --admin-flow admin > .env",
      description: "Then: set -a; . ./.env; set +a; federate token graph"
    }
  ])
)
