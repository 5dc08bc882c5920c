#!/usr/bin/env -S node --
/** The command line's way in. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { run } from "./cli.ts"

const args = process.argv.slice(2)

// What everyone on this machine can see: the command, and not the token that may stand among its arguments.
process.title = ["federate", ...args.slice(0, 1).filter((arg) => /^[a-z]+$/.test(arg))].join(" ")

// As shells count: 128 and the signal's number. A command that is meant to be stopped says otherwise.
let stopped = 130
process.once("SIGTERM", () => (stopped = 143))

run(args).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    // Nothing but an interruption gets here.
    disableErrorReporting: true,
    teardown: (exit) => {
      process.exitCode ??= Exit.isSuccess(exit) ? Number(exit.value) : stopped
      process.stdout.write("", (error) => {
        // The console passes over what cannot be written. That a reader has read enough (`federate schema | head`) is
        // no error, but that a disk is full is one: nobody has what was asked for.
        if (error && "code" in error && error.code !== "EPIPE") {
          process.exitCode = 1
          console.error(`✗ Standard output cannot be written: ${error.code}`)
        }
        // At once: idle connections would hold the process for as long as the other side likes.
        process.stderr.write("", () => process.exit())
      })
    }
  })
)
