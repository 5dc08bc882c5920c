/** Whom an assertion is to be for. */
import { Misconfigured } from "@federate/core"
import type { Assertion, AssertionSource } from "@federate/core"
import * as Result from "effect/Result"

/** Where the source can choose: what is demanded; else what is configured (`audience`); else what the relying party prefers. */
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

/**
 * Where the source cannot choose: the assertion, if it is for whom is demanded.
 *
 * @param hint where on the platform the audience is set
 */
export const forAudience = (
  { audience }: AssertionSource.AssertionRequest,
  assertion: Assertion.Assertion,
  hint: (audience: string) => string
): Result.Result<Assertion.Assertion, Misconfigured> =>
  audience === undefined || assertion.audience.includes(audience)
    ? Result.succeed(assertion)
    : Result.fail(
        new Misconfigured({
          setting: "audience",
          problem: `"${audience}" is demanded, and the token is for ${assertion.audience.map((each) => `"${each}"`).join(", ") || "nobody"}`,
          hint: hint(audience)
        })
      )
