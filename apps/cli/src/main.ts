#!/usr/bin/env node
/** The command line's way in. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { run } from "./cli.ts"

run(process.argv.slice(2)).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    teardown: (exit, onExit) => {
      // A signal ends what was running, as it should; anything else that gets here is a fault of ours.
      process.exitCode = Exit.isSuccess(exit)
        ? Number(exit.value)
        : Exit.hasInterrupts(exit)
          ? 0
          : 70
      onExit(process.exitCode)
      // At once: idle connections would hold the process for as long as the other side likes.
      process.stdout.write("", () => process.exit())
    }
  })
)
