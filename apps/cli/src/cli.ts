/** `federate`, as an effect that ends with its exit status. */
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import manifest from "../package.json" with { type: "json" }
import { init } from "./commands/init.ts"
import { inspect } from "./commands/inspect.ts"
import { sandbox } from "./commands/sandbox.ts"
import { schema } from "./commands/schema.ts"
import { tokenCommand } from "./commands/token.ts"
import { root } from "./root.ts"

const command = root.pipe(Command.withSubcommands([tokenCommand, inspect, init, schema, sandbox]))

/**
 * Runs the command: 0 when it did what was asked, 1 when the other side refused or could not be reached, 2 when it was
 * called or configured wrong.
 */
export const run = (args: ReadonlyArray<string>) =>
  Command.runWith(command, { version: manifest.version })(args).pipe(
    Effect.as(0),
    Effect.catchTag("Stopped", ({ code }) => Effect.succeed(code)),
    Effect.catchIf(CliError.isCliError, (error) =>
      // Help that was asked for is no error.
      Effect.succeed(error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : 2)
    ),
    // Standard output is for what was asked alone.
    Effect.provideService(Logger.LogToStderr, true)
  )
