/** `federate serve`: the server, by the command's own name. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { find } from "../configFile.ts"
import { report } from "../report.ts"
import { root } from "../root.ts"
import { UsageError } from "../UsageError.ts"

export const serveCommand = Command.make(
  "serve",
  {
    listen: Flag.String("listen").pipe(
      Flag.withAlias("l"),
      Flag.withDescription(
        "HOST:PORT or unix:PATH; 127.0.0.1:8765 without it. Port 0 is any that is free"
      ),
      Flag.optional
    ),
    envFile: Flag.Path("env-file", { typeName: "file" }).pipe(
      Flag.withAlias("write-env-file"),
      Flag.withDescription("Where to write the variables that clients need; removed at the end"),
      Flag.optional
    ),
    beyondLoopback: Flag.Boolean("dangerously-listen-beyond-loopback").pipe(
      Flag.withDescription("Let --listen be any address: whoever reaches it gets tokens"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(
    function* ({ beyondLoopback, envFile, listen }) {
      const { config } = yield* root
      const { file } = yield* find(Option.getOrUndefined(config))
      // Loaded only by those who serve.
      const { defaultListen, options, serve } = yield* Effect.promise(
        () => import("@federate/server/serve")
      )
      const called = options(
        {
          config: file,
          listen: Option.getOrElse(listen, () => defaultListen),
          envFile: Option.getOrUndefined(envFile),
          beyondLoopback
        },
        process.env
      )
      return yield* Result.isFailure(called)
        ? new UsageError(called.failure)
        : serve(called.success)
    },
    // Being stopped is how it ends.
    Effect.onInterrupt(() => Effect.sync(() => (process.exitCode = 0))),
    report({ json: false })
  )
).pipe(
  Command.withDescription(
    "Hand out the flows' credentials to unmodified cloud SDKs on this machine, until it is stopped"
  ),
  Command.withExamples([
    {
      command: "federate serve",
      description: "On 127.0.0.1:8765; the log, one JSON object a line, is on standard output"
    },
    {
      command: "federate serve --listen 127.0.0.1:0 --env-file ./broker.env",
      description: "At a free port, with the clients' variables for `set -a; . ./broker.env`"
    }
  ])
)
