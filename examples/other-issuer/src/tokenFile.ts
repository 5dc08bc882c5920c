/** An assertion source of our own: the JWT that a platform leaves in a file, as Kubernetes and Azure's pods have it. */
import { readFile } from "node:fs/promises"
import { Assertion, AssertionSource, Unavailable } from "@federate/core"
import { Clock, Effect, Redacted } from "effect"

export const tokenFile = (path: string) =>
  AssertionSource.make({
    name: "token file",
    // Read each time: the platform puts a new one in its place before the old one ends.
    assertion: Effect.fnUntraced(function* () {
      const obtainedAt = yield* Clock.currentTimeMillis
      const text = yield* Effect.tryPromise({
        try: () => readFile(path, "utf8"),
        catch: () => new Unavailable({ detail: `There is no token to be read at "${path}"` })
      })
      return yield* Effect.fromResult(Assertion.fromJwt(Redacted.make(text.trim()), { obtainedAt }))
    })
  })
