/** A file as an assertion source: the JWT that a platform leaves there, and renews. */
import { AssertionSource } from "@federate/core"
import type { Assertion, Reason } from "@federate/core"
import { readAssertionFile } from "@federate/local"
import * as Effect from "effect/Effect"
import { fit } from "./fit.ts"

export interface FileOptions {
  /** Where the token is, and nothing besides. */
  readonly path: string
}

/**
 * Read each time, since who rotates it puts another file, or other words, in its place: one that is absent, empty or half
 * is looked at three times within half a second. Then it is `Unavailable` without the file, and `Transient` without a
 * whole token in it. A directory, a pipe and what this process may not read are `Misconfigured`.
 */
export const file = ({ path }: FileOptions): Effect.Effect<AssertionSource.AssertionSource> =>
  Effect.succeed(
    AssertionSource.make({
      name: "file",
      assertion: Effect.fnUntraced(function* (request): Effect.fn.Return<
        Assertion.Assertion,
        Reason
      > {
        const setting = "path"
        const assertion = yield* readAssertionFile({ setting, path })
        return yield* Effect.fromResult(
          fit(request, assertion, {
            setting,
            place: path,
            audience: (audience) => `Let who writes the file ask for a token for "${audience}".`,
            renewal: "See that who renews the file still runs, or mend this machine's clock."
          })
        )
      })
    })
  )
