/** A process of its own whose broker listens on the socket that it was started with, as systemd passes it: descriptor 3. */
import { listen, make } from "@federate/broker"
import { Effect } from "effect"

const program = Effect.gen(function* () {
  const { listener } = yield* make({ flows: [] })
  process.stdout.write(`${yield* listen(listener, { fd: 3 })}\n`)
  return yield* Effect.never
})

Effect.runFork(
  program.pipe(
    Effect.scoped,
    Effect.catch(({ message }) => Effect.sync(() => process.stdout.write(`${message}\n`)))
  )
)
