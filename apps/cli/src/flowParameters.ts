/** What commands that ask a flow for something take. */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"

export const flowArgument = Argument.String("flow").pipe(
  Argument.withDescription("A flow of the config file")
)

export const scopeFlag = Flag.String("scope").pipe(
  Flag.withDescription("What the token is for, instead of the flow's own scopes; may be repeated"),
  Flag.atLeast(0)
)
