/** The command itself, with what every command takes. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"

export const root = Command.make("federate").pipe(
  Command.withSharedFlags({
    // Whatever can be read: a pipe (`--config <(…)`) as well.
    config: Flag.Path("config", { typeName: "file" }).pipe(
      Flag.withAlias("c"),
      Flag.withDescription(
        "The config file; $FEDERATE_CONFIG without it, else federate.yaml here or above"
      ),
      Flag.optional
    )
  }),
  Command.withDescription(
    "Workload identity federation: swap the identity that a workload already has for the token that it needs"
  )
)
