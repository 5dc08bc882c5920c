/** `federate`, as an effect that ends with its exit status. */
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import manifest from "../package.json" with { type: "json" }
import { joined, own, separated } from "./argv.ts"
import { credential } from "./commands/credential.ts"
import { doctor } from "./commands/doctor.ts"
import { explain } from "./commands/explain.ts"
import { init } from "./commands/init.ts"
import { inspect } from "./commands/inspect.ts"
import { issuerCommand } from "./commands/issuer.ts"
import { lintCommand } from "./commands/lint.ts"
import { runCommand } from "./commands/run.ts"
import { sandbox } from "./commands/sandbox.ts"
import { schema } from "./commands/schema.ts"
import { serveCommand } from "./commands/serve.ts"
import { tokenCommand } from "./commands/token.ts"
import { trust } from "./commands/trust.ts"
import { presenter } from "./presenter.ts"
import { report } from "./report.ts"
import { root } from "./root.ts"

const command = root.pipe(
  Command.withSubcommands([
    tokenCommand,
    runCommand,
    serveCommand,
    credential,
    inspect,
    explain,
    doctor,
    trust,
    lintCommand,
    init,
    schema,
    issuerCommand,
    sandbox
  ])
)

/** Without the wizard: `init` asks, and what it writes is a file. */
const builtIns = GlobalFlag.BuiltIns.filter((flag) => flag !== GlobalFlag.Wizard)

/**
 * Runs the command: 0 when it did what was asked, 1 when the other side refused or could not be reached, 2 when it was
 * called or configured wrong, 70 when it failed by a fault of its own.
 */
export const run = (given: ReadonlyArray<string>) => {
  const args = separated(given)
  // Before the flags are read, and when they cannot be.
  const json = own(args).includes("--json")
  return Command.runWith(command, { version: manifest.version })(joined(args)).pipe(
    Effect.as(0),
    // Told by the presenter already.
    Effect.catchIf(CliError.isCliError, () => Effect.succeed(2)),
    report({ json }),
    Effect.catchTag("Stopped", ({ code }) => Effect.succeed(code)),
    Effect.provideService(CliConfig.CliConfig, { builtIns }),
    Effect.provideService(CliOutput.Presenter, presenter({ json })),
    // Standard output is for what was asked alone.
    Effect.provideService(Logger.LogToStderr, true)
  )
}
