/** An assertion source of our own: the JWT that a platform leaves in a file, as Kubernetes and Azure's pods have it. */
import { readFile } from "node:fs/promises"
import { Assertion, FederationError, Unavailable } from "@federate/core"
import type { AssertionSource } from "@federate/core"
import { Clock, Effect, Redacted } from "effect"

const name = "token file"

export const tokenFile = (path: string): AssertionSource.AssertionSource => ({
  name,
  // Nothing is known of the token before it is read.
  offers: {},
  // Read each time: the platform puts a new one in its place before the old one ends.
  assertion: () =>
    Effect.gen(function* () {
      const obtainedAt = yield* Clock.currentTimeMillis
      const text = yield* Effect.tryPromise({
        try: () => readFile(path, "utf8"),
        catch: () => new Unavailable({ detail: `There is no token to be read at "${path}"` })
      })
      return yield* Effect.fromResult(Assertion.fromJwt(Redacted.make(text.trim()), { obtainedAt }))
    }).pipe(
      Effect.mapError(
        (reason) => new FederationError({ adapter: name, stage: "assertion", reason })
      )
    )
})
