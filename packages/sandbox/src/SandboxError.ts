/** Why the sandbox cannot do what it was asked. */
import * as Data from "effect/Data"

/**
 * The sandbox was asked for something impossible: an address that is not loopback, a port that is taken, an endpoint
 * that does not exist. What the stand-ins answer to their clients is never this: those are the clouds' own errors.
 */
export class SandboxError extends Data.TaggedError("SandboxError")<{
  /** What to change, in one sentence. */
  readonly message: string
}> {}
