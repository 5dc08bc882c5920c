/** `federate trust`: both halves of a flow's trust, from the config file. */
import * as Command from "effect/cli/Command"
import { apply } from "./trust/apply.ts"
import { destroy } from "./trust/destroy.ts"
import { emit } from "./trust/emit.ts"
import { plan } from "./trust/plan.ts"
import { verify } from "./trust/verify.ts"

export const trust = Command.make("trust").pipe(
  Command.withDescription(
    "Set up both halves of a flow's trust, from what the config file says: what there is to do, doing it, checking it, and taking it down"
  ),
  Command.withExamples([
    { command: "federate trust plan graph --admin-flow admin", description: "What there is to do" },
    { command: "federate trust apply graph --admin-flow admin", description: "Doing it" }
  ]),
  Command.withSubcommands([plan, apply, verify, destroy, emit])
)
