/** Whom an assertion is to be for, where its source can choose. */
import { Misconfigured } from "@federate/core"
import type { AssertionSource } from "@federate/core"
import * as Result from "effect/Result"

/** What is demanded; else what is configured (`audience`); else what the relying party prefers. */
export const audienceFor = (
  { audience, preferredAudience }: AssertionSource.AssertionRequest,
  configured: string | undefined
): Result.Result<string, Misconfigured> => {
  const chosen = audience ?? configured ?? preferredAudience
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
