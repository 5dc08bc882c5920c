/** Whom an assertion is to be for. */
import { Misconfigured } from "@federate/core"
import type { AssertionSource } from "@federate/core"
import * as Result from "effect/Result"

/**
 * Where the source can choose: what is demanded; else what is configured (`audience`); else what the relying party
 * prefers. Nothing where nobody is named, for a platform that has an audience of its own then.
 */
export const chosenAudience = (
  { audience, preferredAudience }: AssertionSource.AssertionRequest,
  configured: string | undefined
): string | undefined => audience ?? configured ?? preferredAudience

/** The same for a platform that has none. */
export const audienceFor = (
  request: AssertionSource.AssertionRequest,
  configured: string | undefined
): Result.Result<string, Misconfigured> => {
  const chosen = chosenAudience(request, configured)
  return chosen === undefined || chosen === ""
    ? Result.fail(
        new Misconfigured({
          setting: "audience",
          problem: "nobody is named, and the relying party has no wish",
          hint: "Name whom the assertion is for, as the trust on the other side has it."
        })
      )
    : Result.succeed(chosen)
}
