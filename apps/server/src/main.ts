#!/usr/bin/env -S node --
/** The server's way in. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as References from "effect/References"
import * as Result from "effect/Result"
import manifest from "../package.json" with { type: "json" }
import { fault } from "./log.ts"
import { call, usage } from "./options.ts"
import { serve } from "./serve.ts"

process.title = "federate-server"

/** Called or configured wrong. */
const misused = 2
/** sysexits.h's EX_SOFTWARE. */
const ownFault = 70

const end = (status: number, problem: string): never => {
  process.stderr.write(`federate-server: ${problem}\n`)
  process.exit(status)
}

const called = call(process.argv.slice(2), process.env)
if (Result.isFailure(called)) {
  end(misused, `${called.failure.problem}. ${called.failure.hint}`)
} else if (called.success.is === "help") process.stdout.write(usage)
else if (called.success.is === "version") process.stdout.write(`${manifest.version}\n`)
else {
  const { logLevel, options } = called.success
  Effect.runCallback(Effect.provideService(serve(options), References.MinimumLogLevel, logLevel), {
    onExit: (exit) => {
      // At once: idle connections would hold the process for as long as the other side likes.
      if (Exit.isSuccess(exit)) process.exit(0)
      const error = Cause.findErrorOption(exit.cause)
      if (error._tag === "Some") end(misused, error.value.message)
      end(
        ownFault,
        `This is a fault of its own: ${JSON.stringify(fault(Cause.squash(exit.cause)))}`
      )
    }
  })
}
