/** `federate lint`: what in the config file is unsafe or bound to fail, before any call. */
import type { BrokerConfig } from "@federate/broker"
import type { FlowDefinition } from "@federate/config"
import type { Finding } from "@federate/trust"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { load } from "../configFile.ts"
import { linesOf } from "../explanation.ts"
import { readRecords } from "../pastedFile.ts"
import { report, Stopped } from "../report.ts"
import { root } from "../root.ts"

export const lintCommand = Command.make(
  "lint",
  {
    trust: Flag.String("trust").pipe(
      Flag.withDescription(
        "A file with what stands on the other side, as its own tools print it: records, roles, policies, pools; may be repeated"
      ),
      Flag.atLeast(0)
    ),
    strict: Flag.Boolean("strict").pipe(
      Flag.withDescription("End with 1 also for what may be wrong, and for what is worth knowing"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the findings as JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ json, strict, trust }) {
    const { config } = yield* root
    yield* Effect.gen(function* () {
      const { flows, sections } = yield* load(Option.getOrUndefined(config))
      const records = yield* Effect.forEach(trust, readRecords)
      const { trustRecords } = yield* Effect.promise(() => import("@federate/broker/config"))
      const { lint } = yield* Effect.promise(() => import("@federate/trust"))
      const { lintRules } = yield* Effect.promise(() => import("../relyingParties.ts"))
      const { broker } = sections
      const findings = yield* lint(
        {
          flows: [...flows.values()],
          others: broker === undefined ? [] : [making(broker, [...flows.values()])],
          grants: broker === undefined ? [] : trustRecords(broker),
          documents: records.flatMap(({ documents }) => documents)
        },
        lintRules
      )
      const clean = findings.every(({ verdict }) => !isBad(verdict) && !strict)
      yield* json
        ? Console.log(JSON.stringify({ clean, findings }, null, 2))
        : Effect.forEach(findings.flatMap(linesOf), (line) => Console.log(line), { discard: true })
      if (!clean) return yield* new Stopped({ code: 1 })
    }).pipe(report({ json }))
  })
).pipe(
  Command.withDescription(
    "Say what in the config file is unsafe or bound to fail, before any call is made"
  ),
  Command.withExamples([
    { command: "federate lint", description: "All that the file alone tells" },
    {
      command: "federate lint --strict --json",
      description: "For a pipeline: as data, and nothing is let through"
    },
    {
      command: "federate lint --trust role.json --trust policies.json",
      description:
        "With what `aws iam get-role` and `aws iam get-account-authorization-details` print"
    }
  ])
)

const isBad = (verdict: Finding["verdict"]): boolean => verdict === "wrong" || verdict === "risky"

/** The broker as it would be made; not where a flow cannot be, which is told by itself. */
const making = (config: BrokerConfig, definitions: ReadonlyArray<FlowDefinition>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { make } = yield* Effect.promise(() => import("@federate/broker"))
      const { serve } = yield* Effect.promise(() => import("@federate/broker/config"))
      const flows = yield* Effect.option(Effect.forEach(definitions, serve))
      if (Option.isSome(flows)) yield* make({ flows: flows.value, config })
    })
  )
